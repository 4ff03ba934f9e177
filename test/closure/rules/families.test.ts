import { expect, it } from 'vitest';
import { familyRules } from '../../../src/closure/rules/families.ts';
import { unwindFunctions } from '../../../src/closure/rules/gcc-runtime.ts';
import { nameFunctions } from '../../../src/closure/rules/nss.ts';
import { packageRule } from '../../../src/closure/rules/package.ts';
import { pamFunctions } from '../../../src/closure/rules/pam.ts';
import { trustFunctions } from '../../../src/closure/rules/tls.ts';
import { knownImports } from '../../../src/rootfs/facts/known-imports.ts';
import { elf, symlink } from '../rig.ts';
import { stays } from './stays.ts';

it('every family rule has a unique name and a sentence', () => {
  const names = familyRules.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, describe } of familyRules) {
    expect(name).toMatch(/^[a-z0-9-]+$/);
    expect(describe).toMatch(/\.$/);
  }
});

it('family rules keep only identity and the local time zone for a program that asks for nothing', async () => {
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

it('family rules ask only for imports that a scan records', () => {
  for (const name of [...nameFunctions, ...pamFunctions, ...trustFunctions, ...unwindFunctions])
    expect(knownImports, name).toContain(name);
});

it('files that no trace shows in use do not keep their packages', async () => {
  const list = (name: string, ...paths: readonly string[]): Record<string, string> => ({
    [`var/lib/dpkg/info/${name}.list`]: `/${paths.join('\n/')}\n`,
  });
  const image = {
    app: elf(),
    'usr/lib/libcrypto.so.3': elf(),
    'etc/host.conf': 'multi on',
    'etc/localtime': symlink('/usr/share/zoneinfo/UTC'),
    'usr/share/zoneinfo/UTC': 'x',
    'usr/share/zoneinfo/Zulu': 'x',
    'usr/bin/base': 'x',
    'etc/ssl/openssl.cnf': 'x',
    'usr/bin/openssl': 'x',
    'var/lib/dpkg/status': ['base-files', 'tzdata', 'openssl']
      .map((name) => `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n`)
      .join(''),
    ...list('base-files', 'etc/host.conf', 'usr/bin/base'),
    ...list('tzdata', 'usr/share/zoneinfo/UTC', 'usr/share/zoneinfo/Zulu'),
    ...list('openssl', 'etc/ssl/openssl.cnf', 'usr/bin/openssl'),
  };
  const rules = [...familyRules, packageRule];
  expect(
    await stays(rules, image, { want: ['app', 'usr/lib/libcrypto.so.3'], granularity: 'package' }),
  ).toEqual([
    'app',
    'etc/host.conf',
    'etc/localtime',
    'etc/ssl/openssl.cnf',
    'usr/lib/libcrypto.so.3',
    'usr/share/zoneinfo/UTC',
  ]);
  const trace = { 'usr/share/zoneinfo/UTC': 'open' };
  expect(await stays(rules, image, { trace, granularity: 'package' })).toContain('usr/share/zoneinfo/Zulu');
});
