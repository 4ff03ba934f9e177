import { expect, it } from 'vitest';
import { dlopenRule } from '../../../src/closure/rules/dlopen.ts';
import { fontconfigRule } from '../../../src/closure/rules/fontconfig.ts';
import { tlsRule } from '../../../src/closure/rules/tls.ts';
import { b } from '../../support/bytes.ts';
import { elf, symlink, type Table, type Thing } from '../rig.ts';
import { stays } from './stays.ts';

function naming(thing: Thing, ...names: readonly string[]): Thing {
  return { ...thing, mentions: names.map(b) };
}

const source: Thing = { entry: { body: new Uint8Array(3) } };

const image: Table = {
  'usr/lib/jvm/lib/libawt.so': naming(elf(), 'libfontconfig.so.1', 'libnowhere.so.1'),
  'usr/lib/x86_64-linux-gnu/libfontconfig.so.1': symlink('libfontconfig.so.1.12.0'),
  'usr/lib/x86_64-linux-gnu/libfontconfig.so.1.12.0': elf(),
  'usr/lib/x86_64-linux-gnu/libmagic.so.1': elf(),
  'usr/lib/x86_64-linux-gnu/libmagicwand.so.1': elf(),
  'app/magic.py': naming(source, 'libmagic.so*'),
  'app/server': naming(elf(), 'etc/ssl/certs/ca-certificates.crt'),
  'etc/ssl/certs/ca-certificates.crt': 'x',
  'etc/fonts/fonts.conf': 'x',
  'etc/fonts/conf.d/10.conf': symlink('/usr/share/fontconfig/conf.avail/10.conf'),
  'usr/share/fontconfig/conf.avail/10.conf': 'x',
  'usr/share/fonts/truetype/A.ttf': 'x',
  'opt/fonts.conf': 'x',
};

const granularity = 'package';

it('keeps a library that an ELF file names and its loader finds', async () => {
  expect(await stays(dlopenRule, image, { want: ['usr/lib/jvm/lib/libawt.so'], granularity })).toEqual([
    'usr/lib/jvm/lib/libawt.so',
    'usr/lib/x86_64-linux-gnu/libfontconfig.so.1',
    'usr/lib/x86_64-linux-gnu/libfontconfig.so.1.12.0',
  ]);
});

it('keeps every version of a library that a source looks for', async () => {
  expect(await stays(dlopenRule, image, { want: ['app/magic.py'], granularity })).toEqual([
    'app/magic.py',
    'usr/lib/x86_64-linux-gnu/libmagic.so.1',
  ]);
});

it('keeps the certificates of a program that names their bundle', async () => {
  expect(await stays(tlsRule, image, { want: ['app/server'], granularity })).toContain(
    'etc/ssl/certs/ca-certificates.crt',
  );
});

it('keeps settings and fonts for fontconfig, and what a variable names', async () => {
  const library = 'usr/lib/x86_64-linux-gnu/libfontconfig.so.1.12.0';
  const environment = { FONTCONFIG_FILE: '/opt/fonts.conf' };
  expect(await stays(fontconfigRule, image, { want: [library], granularity, environment })).toEqual([
    'etc/fonts/conf.d/10.conf',
    'etc/fonts/fonts.conf',
    'opt/fonts.conf',
    'usr/lib/x86_64-linux-gnu/libfontconfig.so.1.12.0',
    'usr/share/fontconfig/conf.avail/10.conf',
    'usr/share/fonts/truetype/A.ttf',
  ]);
});

it.each([
  ['usr/lib/jvm/lib/libawt.so', dlopenRule],
  ['app/magic.py', dlopenRule],
  ['app/server', tlsRule],
  ['usr/lib/x86_64-linux-gnu/libfontconfig.so.1.12.0', fontconfigRule],
] as const)('keeps nothing more for %s at the granularity file', async (path, rule) => {
  expect(await stays(rule, image, { want: [path] })).toEqual([path]);
});
