/**
 * Sums up a trace for people: how its paths were used, and in which directories they are. Caller: `trace show`.
 */
import { type ByteString, joinBytes } from '../bytes/bytes.ts';
import { atOnce, itemsPerStep, sortSteps, type Steps } from '../steps.ts';
import { type Trace, type TracedPath, type Uses, uses } from './trace.ts';

/** The numbers that `trace show` prints about a trace. */
export interface TraceSummary {
  /** Number of paths for each use. A path with several uses counts for each. */
  readonly uses: Readonly<Record<keyof typeof uses, number>>;
  /** Number of paths by their directory, most paths first. Deeper directories count for their parent at the limit. */
  readonly directories: readonly { readonly path: TracedPath; readonly paths: number }[];
  /** The executed paths, sorted. */
  readonly executed: readonly TracedPath[];
}

/** Counts the paths of a trace. `depth` is the most names of a directory. `..` is resolved as text, without the image. */
export function summarizeTrace(trace: Trace, depth = 3): TraceSummary {
  return atOnce(summarySteps(trace, depth));
}

/** Counts the paths of a trace in steps. */
export function* summarySteps(trace: Trace, depth = 3): Steps<TraceSummary> {
  const counts = {
    open: 0,
    exec: 0,
    stat: 0,
    list: 0,
    write: 0,
    link: 0,
    fail: 0,
    failLink: 0,
    connect: 0,
    replaced: 0,
  };
  const directories = new Map<TracedPath, number>();
  const executed: TracedPath[] = [];
  const named = Object.entries(uses) as [keyof typeof uses, Uses][];
  let seen = 0;
  for (const [path, bits] of trace.paths) {
    if (++seen % itemsPerStep === 0) yield;
    for (const [name, bit] of named) if ((bits & bit) !== 0) counts[name]++;
    if ((bits & uses.exec) !== 0) executed.push(path);
    const directory = directoryOf(path, depth);
    directories.set(directory, (directories.get(directory) ?? 0) + 1);
  }
  return {
    uses: counts,
    directories: yield* byNumber(directories),
    executed: yield* sortSteps(executed),
  };
}

/** Lists directories with most paths first, and those of equal numbers by name. */
function* byNumber(directories: ReadonlyMap<TracedPath, number>): Steps<TraceSummary['directories']> {
  const byCount = new Map<number, TracedPath[]>();
  for (const path of yield* sortSteps(directories.keys())) {
    const paths = directories.get(path) as number;
    const same = byCount.get(paths);
    if (same === undefined) byCount.set(paths, [path]);
    else same.push(path);
  }
  yield;
  const counts = [...byCount.keys()].sort((a, b) => b - a);
  return counts.flatMap((paths) => (byCount.get(paths) ?? []).map((path) => ({ path, paths })));
}

function directoryOf(path: TracedPath, depth: number): TracedPath {
  const names: ByteString[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else names.push(name);
  }
  return joinBytes(names.slice(0, Math.min(depth, Math.max(0, names.length - 1))), '/');
}
