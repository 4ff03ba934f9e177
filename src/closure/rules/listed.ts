/**
 * The rule for listed directories: a program that lists one sees the names in it, and may act on them. `families.ts` lists it behind
 * the rules that know what certain programs list.
 */
import { ascii } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import { KiB, MiB } from '../../units.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { isAlwaysListed } from './always-listed.ts';
import { PerClosure } from './spreading.ts';

/** The directories that were listed. */
const listed = new PerClosure<Path>();

interface Bounds {
  readonly entries: number;
  readonly bytes: number;
}

/** What one listed directory may keep. */
const bounds: Readonly<Record<ClosureContext['granularity'], Bounds>> = {
  file: { entries: 1000, bytes: 256 * KiB },
  package: { entries: 4000, bytes: 4 * MiB },
  directory: { entries: 4000, bytes: 4 * MiB },
};

export const listedRule: ClosureRule = {
  name: 'listed',
  describe:
    'The entries of a directory that was listed, with the contents of directories among them: all if they are few and small, else the files in it, else one entry, so that it is not empty. The report says what was left out. Directories that interpreters always list keep one entry: those of Python modules, of RubyGems specifications, of Java extensions, of Erlang code.',
  *follow(path, context) {
    if ((context.usesOf(path) & uses.list) === 0 || context.fs.kind(path) !== 'directory') return;
    if (!listed.isNew(path, context) || isAlwaysListed(path, context)) return;
    yield* entriesOf(path, context);
  },
  *settle(context) {
    for (const path of listed.of(context)) {
      const [entry] = context.fs.children(path);
      if (entry === undefined || hasKept(path, context)) continue;
      yield { path: entry, detail: ascii`keeps /${path}, which was listed, from being empty`, itself: true };
    }
  },
};

/** Yields the entries of a listed directory that fit. At `file`, they bring nothing with them: a program that uses them is traced. */
function* entriesOf(path: Path, context: ClosureContext): Generator<Need> {
  const { fs, granularity } = context;
  const detail = ascii`in /${path}, which was listed`;
  const strength = granularity === 'file' ? 'courtesy' : 'whole';
  const isSmall = (paths: Iterable<Path>): boolean => fits(paths, context);
  if (isSmall(fs.below(path))) yield { path, detail, below: true, strength };
  else if (isSmall(fs.children(path)))
    for (const entry of fs.children(path)) yield { path: entry, detail, itself: true, strength };
}

function fits(paths: Iterable<Path>, { fs, granularity }: ClosureContext): boolean {
  const most = bounds[granularity];
  let entries = 0;
  let bytes = 0;
  for (const path of paths) {
    if (fs.kind(path) === 'file') bytes += fs.size(path);
    if (++entries > most.entries || bytes > most.bytes) return false;
  }
  return true;
}

function hasKept(directory: Path, context: ClosureContext): boolean {
  for (const entry of context.fs.children(directory)) if (context.isKept(entry)) return true;
  return false;
}
