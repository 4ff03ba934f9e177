import { describe, expect, it } from 'vitest';
import { localeRule } from '../../../src/closure/rules/locale.ts';
import { packageRule } from '../../../src/closure/rules/package.ts';
import { elf } from '../rig.ts';
import { saysOf, stays } from './stays.ts';

const home = 'usr/lib/locale';
const image = {
  [`${home}/C.utf8/LC_CTYPE`]: 'x',
  [`${home}/C.utf8/LC_TIME`]: 'x',
  [`${home}/C.utf8/LC_MESSAGES/SYS_LC_MESSAGES`]: 'x',
  [`${home}/de_DE.utf8/LC_CTYPE`]: 'x',
  [`${home}/de_DE.utf8/LC_COLLATE`]: 'x',
  [`${home}/fr_FR/LC_CTYPE`]: 'x',
  [`${home}/locale-archive`]: 'x',
  'usr/share/locale/locale.alias': 'x',
  'usr/share/locale/de/LC_MESSAGES/tool.mo': 'x',
};
const alias = 'usr/share/locale/locale.alias';
const c = Object.keys(image).filter((path) => path.includes('C.utf8'));

describe('locale', () => {
  it.each([{}, { LANG: 'C' }, { LC_ALL: 'POSIX', LANG: '' }])('keeps nothing for %j', async (environment) => {
    expect(await stays(localeRule, image, { environment })).toEqual([]);
  });

  it.each(['C.UTF-8', 'C.utf8'])('keeps the locale of LANG=%s', async (LANG) => {
    expect(await stays(localeRule, image, { environment: { LANG } })).toEqual([...c, alias].sort());
  });

  it('finds a locale under the names of glibc, without translations', async () => {
    const environment = { LC_ALL: 'de_DE.UTF-8' };
    expect(await stays(localeRule, image, { environment })).toEqual([
      `${home}/de_DE.utf8/LC_COLLATE`,
      `${home}/de_DE.utf8/LC_CTYPE`,
      alias,
    ]);
    expect(await saysOf(localeRule, image, `${home}/de_DE.utf8/LC_CTYPE`, { environment })).toBe(
      'locale: LC_ALL is de_DE.UTF-8',
    );
  });

  it('keeps the archive for a locale without a directory', async () => {
    expect(await stays(localeRule, image, { environment: { LANG: 'ja_JP.UTF-8' } })).toEqual([
      `${home}/locale-archive`,
      alias,
    ]);
  });

  it('keeps all of C.UTF-8 if a file of it was used, but not all of other locales', async () => {
    expect(await stays(localeRule, image, { trace: { [`${home}/C.utf8/LC_CTYPE`]: 'open' } })).toEqual(
      [...c, alias].sort(),
    );
    expect(await stays(localeRule, image, { trace: { [`${home}/de_DE.utf8/LC_CTYPE`]: 'open' } })).toEqual([
      `${home}/de_DE.utf8/LC_CTYPE`,
    ]);
  });

  it('leaves locales out of a package of locales unless something names them', async () => {
    const packaged = {
      ...image,
      'usr/bin/localedef': elf(),
      'var/lib/dpkg/status':
        'Package: locales-all\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36\n\n',
      'var/lib/dpkg/info/locales-all.list': `/${['usr/bin/localedef', ...Object.keys(image)].join('\n/')}\n`,
    };
    const circumstances = { want: ['usr/bin/localedef'], granularity: 'package' } as const;
    const rest = [
      'usr/bin/localedef',
      ...Object.keys(image).filter((path) => path.startsWith('usr/share')),
    ].sort();
    const rules = [packageRule, localeRule];
    expect(await stays(rules, packaged, circumstances)).toEqual(rest);
    expect(await stays(rules, packaged, { ...circumstances, environment: { LANG: 'fr_FR' } })).toEqual(
      [...rest, `${home}/fr_FR/LC_CTYPE`].sort(),
    );
  });
});
