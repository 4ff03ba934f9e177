import { ascii, asciiList, noBytes, type ByteString } from '../../bytes/bytes.ts';
import { join, type Path, rootPaths } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { variable } from './configuration.ts';

const homes = rootPaths('usr/share/zoneinfo', 'usr/lib/zoneinfo', 'usr/share/zoneinfo-icu');

/** What programs read to know which zones there are; a few kilobytes each. */
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
 * The zones that are asked for, not all four megabytes. A program that shows any zone its users ask for reads the list of
 * them in some way, which keeps the tables, or all of them where it reads the directory; the granularity `package` keeps
 * the whole database of which one zone was used.
 */
export const timezoneRule: ClosureRule = {
  name: 'timezone',
  describe:
    'etc/localtime with the zone it leads to, and etc/timezone; the zone that TZ names; with a zone that was used, the tables of zones; with a directory of zones that was listed, all zones in it.',
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
    // By the name that was used: the zone behind etc/localtime is opened by programs that do not care which there are.
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
  for (const table of tables) {
    const beside = join(home, table);
    if (fs.kind(beside) !== null)
      yield { path: beside, detail: ascii`a table of zones, since /${name} was used` };
  }
}
