import { expect, it } from 'vitest';
import { familyRules } from '../../../../src/slim/closure/rules/families.ts';
import { unwindFunctions } from '../../../../src/slim/closure/rules/gcc-runtime.ts';
import { nameFunctions } from '../../../../src/slim/closure/rules/nss.ts';
import { pamFunctions } from '../../../../src/slim/closure/rules/pam.ts';
import { trustFunctions } from '../../../../src/slim/closure/rules/tls.ts';
import { knownImports } from '../../../../src/slim/facts/elf.ts';
import { elf } from '../rig.ts';
import { stays } from './stays.ts';

it('has a name of its own and a sentence for every rule', () => {
  const names = familyRules.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, describe } of familyRules) {
    expect(name).toMatch(/^[a-z0-9-]+$/);
    expect(describe).toMatch(/\.$/);
  }
});

it('keeps nothing but identity and the local zone of an image whose program asks for nothing', async () => {
  const image = {
    app: elf(),
    'etc/passwd': 'x',
    'etc/localtime': 'x',
    'usr/share/zoneinfo/UTC': 'x',
    'usr/lib/x86_64-linux-gnu/gconv/UTF-16.so': elf(),
    'etc/pam.d/login': 'auth required pam_unix.so',
    'usr/lib/x86_64-linux-gnu/security/pam_unix.so': elf(),
    'etc/ssl/certs/ca-certificates.crt': 'x',
    'usr/lib/locale/C.utf8/LC_CTYPE': 'x',
    'usr/lib/locale/locale-archive': 'x',
    'etc/services': 'x',
  };
  expect(await stays(familyRules, image, { trace: { app: 'exec' } })).toEqual([
    'app',
    'etc/localtime',
    'etc/passwd',
  ]);
});

it('asks for no import that a scan does not look for', () => {
  for (const name of [...nameFunctions, ...pamFunctions, ...trustFunctions, ...unwindFunctions])
    expect(knownImports, name).toContain(name);
});
