/**
 * The rule for time zones: the local one, those that the environment names, and those that were used. `families.ts` lists it.
 */
import { ascii, asciiList, noBytes, type ByteString } from '../../bytes/bytes.ts';
import { type Path, rootPaths } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { presentIn } from './present.ts';
import { variable } from './configuration.ts';

/** The directories of zones, by distribution and by library. */
const homes = rootPaths('usr/share/zoneinfo', 'usr/lib/zoneinfo', 'usr/share/zoneinfo-icu');

/** The tables by which programs know which zones exist. They have a few kilobytes each. */
const tables = asciiList(
  'zone.tab',
  'zone1970.tab',
  'zonenow.tab',
  'iso3166.tab',
  'tzdata.zi',
  'posixrules',
  'leapseconds',
  'leap-seconds.list',
);

/**
 * Keeps the zones that something names, not all four megabytes. A program that lets its users choose a zone reads a list of zones:
 * the tables, or the directory, which then keeps all zones. The granularity `package` keeps the whole database for one used zone.
 */
export const timezoneRule: ClosureRule = {
  name: 'timezone',
  describe:
    'etc/localtime with its time zone, and etc/timezone; the zone in TZ; if a zone was used, the tables of zones; if a directory of zones was listed, all zones in it.',
  *roots(context): Generator<Need> {
    const { fs, trace } = context;
    yield { path: ascii`etc/localtime`, detail: ascii`the local time zone`, strength: 'whole' };
    yield { path: ascii`etc/timezone`, detail: ascii`the name of the local time zone`, strength: 'whole' };
    const directory = variable('TZDIR', context);
    for (const name of asciiList('TZ', 'PGTZ')) {
      const zone = variable(name, context).replace(/^:/, '');
      if (zone === '') continue;
      for (const home of zone.startsWith('/')
        ? [noBytes]
        : [...homes, ...(directory === '' ? [] : [directory])]) {
        const path = home === '' ? zone : ascii`${home}/${zone}`;
        if (fs.resolve(path).path !== null) yield { path, detail: ascii`the zone that ${name} names` };
      }
    }
    // Names count as the program used them: etc/localtime is opened by programs that do not choose a zone.
    for (const [name, use] of trace.paths) {
      const home = homes.find((start) => name === start || name.startsWith(`${start}/`));
      if (home === undefined || (use & (uses.open | uses.list)) === 0) continue;
      yield* used(name, home, fs);
    }
  },
};

function* used(name: ByteString, home: Path, fs: ClosureContext['fs']): Generator<Need> {
  const { path } = fs.resolve(name);
  if (path === null) return;
  if (fs.kind(path) === 'directory') {
    yield { path: name, detail: ascii`the zones in /${name}, which was listed`, below: true };
    return;
  }
  for (const table of presentIn(fs, home, tables))
    yield { path: table, detail: ascii`a table of zones, since /${name} was used` };
}
