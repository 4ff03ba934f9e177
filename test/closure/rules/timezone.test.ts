import { describe, expect, it } from 'vitest';
import { timezoneRule } from '../../../src/closure/rules/timezone.ts';
import { symlink } from '../rig.ts';
import { saysOf, stays } from './stays.ts';

const zones = 'usr/share/zoneinfo';
const image = {
  'etc/localtime': symlink(`/${zones}/Etc/UTC`),
  'etc/timezone': 'Etc/UTC',
  [`${zones}/Etc/UTC`]: 'TZif',
  [`${zones}/Europe/Berlin`]: 'TZif',
  [`${zones}/Europe/Paris`]: 'TZif',
  [`${zones}/Asia/Tokyo`]: 'TZif',
  [`${zones}/zone.tab`]: 'x',
  [`${zones}/iso3166.tab`]: 'x',
  [`${zones}/tzdata.zi`]: 'x',
};
const local = ['etc/localtime', 'etc/timezone', `${zones}/Etc/UTC`];
const tables = [`${zones}/iso3166.tab`, `${zones}/tzdata.zi`, `${zones}/zone.tab`];

describe('timezone', () => {
  it('keeps only the local zone if nothing asks for more', async () => {
    expect(await stays(timezoneRule, image)).toEqual(local);
    expect(await stays(timezoneRule, image, { trace: { 'etc/localtime': 'open' } })).toEqual(local);
  });

  it.each([':Europe/Berlin', 'Europe/Berlin', `/${zones}/Europe/Berlin`])(
    'keeps the zone of TZ=%s',
    async (TZ) => {
      expect(await stays(timezoneRule, image, { environment: { TZ } })).toEqual(
        [...local, `${zones}/Europe/Berlin`].sort(),
      );
    },
  );

  it('needs no file for a zone in POSIX form', async () => {
    expect(await stays(timezoneRule, image, { environment: { TZ: 'CET-1CEST,M3.5.0,M10.5.0/3' } })).toEqual(
      local,
    );
  });

  it('keeps the tables with a used zone, but not all other zones', async () => {
    const trace = { [`${zones}/Europe/Berlin`]: 'open' };
    expect(await stays(timezoneRule, image, { trace })).toEqual(
      [...local, `${zones}/Europe/Berlin`, ...tables].sort(),
    );
    expect(await saysOf(timezoneRule, image, tables[0] as string, { trace })).toBe(
      `timezone: a table of zones, since /${zones}/Europe/Berlin was used`,
    );
  });

  it('keeps the zones in a directory that was listed', async () => {
    expect(await stays(timezoneRule, image, { trace: { [`${zones}/Europe`]: 'list' } })).toEqual(
      [...local, `${zones}/Europe/Berlin`, `${zones}/Europe/Paris`].sort(),
    );
    expect(await stays(timezoneRule, image, { trace: { [zones]: 'list open' } })).toEqual(
      Object.keys(image).sort(),
    );
  });

  it('keeps the tables of the directory whose zone was used, not those of another', async () => {
    const icu = { ...image, 'usr/share/zoneinfo-icu/44/le/zoneinfo64.res': 'x' };
    expect(
      await stays(timezoneRule, icu, { trace: { 'usr/share/zoneinfo-icu/44/le/zoneinfo64.res': 'open' } }),
    ).toEqual([...local, 'usr/share/zoneinfo-icu/44/le/zoneinfo64.res'].sort());
  });
});
