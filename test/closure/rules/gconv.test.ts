import { describe, expect, it } from 'vitest';
import { gconvRule } from '../../../src/closure/rules/gconv.ts';
import { packageRule } from '../../../src/closure/rules/package.ts';
import { elf, text } from '../rig.ts';
import { saysOf, stays } from './stays.ts';
import { b } from '../../support/bytes.ts';

const home = 'usr/lib/x86_64-linux-gnu/gconv';
const image = {
  'usr/bin/cat': elf({ imports: ['iconv_open'] }),
  [`${home}/gconv-modules`]: text(
    '# comment\nalias\tLATIN1//\tISO-8859-1//\nmodule\tISO-8859-1//\tINTERNAL\tISO8859-1\t1\nmodule\tINTERNAL\tISO-8859-1//\tISO8859-1\t1\n',
  ),
  [`${home}/gconv-modules.d/extra.conf`]: text(
    'alias SJIS// SHIFT_JIS//\nmodule SHIFT_JIS// INTERNAL SJIS 1\n',
  ),
  [`${home}/gconv-modules.cache`]: 'x',
  [`${home}/ISO8859-1.so`]: elf(),
  [`${home}/ISO8859-15.so`]: elf(),
  [`${home}/SJIS.so`]: elf({ needed: [b('libJIS.so')] }),
  [`${home}/libJIS.so`]: elf(),
  [`${home}/IBM037.so`]: elf(),
};
const lists = [`${home}/gconv-modules`, `${home}/gconv-modules.cache`, `${home}/gconv-modules.d/extra.conf`];
const all = Object.keys(image).filter((path) => path.startsWith(home));

describe('gconv', () => {
  it.each([
    ['file', ['iconv_open']],
    ['package', []],
    ['directory', []],
  ] as const)(
    'keeps no converter for a program that only opened the list, with granularity %s',
    async (granularity, imports) => {
      const trace = { 'usr/bin/cat': 'exec', [`${home}/gconv-modules.cache`]: 'open' };
      const other = { ...image, 'usr/bin/cat': elf({ imports }) };
      expect(await stays(gconvRule, other, { trace, granularity, environment: { LANG: 'C.UTF-8' } })).toEqual(
        ['usr/bin/cat', `${home}/gconv-modules.cache`],
      );
    },
  );

  it.each(['package', 'directory'] as const)(
    'keeps all converters for a program that converts, with granularity %s',
    async (granularity) => {
      const trace = { 'usr/bin/cat': 'exec' };
      expect(await stays(gconvRule, image, { trace, granularity })).toEqual(['usr/bin/cat', ...all].sort());
    },
  );

  it('keeps the lists with a used converter, and all converters unless the granularity is file', async () => {
    const trace = { [`${home}/SJIS.so`]: 'open' };
    expect(await stays(gconvRule, image, { trace })).toEqual([`${home}/SJIS.so`, ...lists].sort());
    expect(await stays(gconvRule, image, { trace, granularity: 'package' })).toEqual(all.sort());
    expect(await saysOf(gconvRule, image, `${home}/IBM037.so`, { trace, granularity: 'package' })).toBe(
      `gconv: the converters, since /${home}/SJIS.so was used`,
    );
  });

  it.each([
    ['de_DE.ISO-8859-1', 'ISO8859-1.so'],
    ['de_DE.ISO8859-1', 'ISO8859-1.so'],
    ['de_DE.latin1', 'ISO8859-1.so'],
    ['ja_JP.SJIS', 'SJIS.so'],
    ['fr_FR@euro', 'ISO8859-15.so'],
  ])('keeps the converter that LANG=%s needs', async (LANG, module) => {
    expect(await stays(gconvRule, image, { environment: { LANG } })).toEqual(
      [`${home}/${module}`, ...lists].sort(),
    );
  });

  it('keeps those of ISO 8859 for a locale that does not name its character set', async () => {
    expect(await stays(gconvRule, image, { environment: { LANG: 'fr_FR' } })).toEqual(
      [`${home}/ISO8859-1.so`, `${home}/ISO8859-15.so`, ...lists].sort(),
    );
  });

  it.each(['de_DE.UTF-8', 'C.UTF-8', 'C', 'POSIX'])('keeps no converter for LANG=%s', async (LANG) => {
    expect(await stays(gconvRule, image, { environment: { LANG } })).toEqual([]);
  });

  it('leaves converters out of the package of the C library unless something asks for them', async () => {
    const libc = {
      ...image,
      'usr/lib/x86_64-linux-gnu/libc.so.6': elf(),
      'var/lib/dpkg/status':
        'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36\n\n',
      'var/lib/dpkg/info/libc6:amd64.list': `/${['usr/lib/x86_64-linux-gnu/libc.so.6', ...all].join('\n/')}\n`,
    };
    const want = ['usr/lib/x86_64-linux-gnu/libc.so.6'];
    const rules = [packageRule, gconvRule];
    const modules = all.filter((path) => path.endsWith('.so'));
    const alone = await stays(rules, libc, { want, granularity: 'package' });
    expect(alone).toEqual([...lists, ...want].sort());
    const trace = { [`${home}/SJIS.so`]: 'open' };
    expect(await stays(rules, libc, { want, trace, granularity: 'package' })).toEqual(
      [...alone, ...modules].sort(),
    );
  });
});
