import { type ByteString, joinBytes } from '../bytes/bytes.ts';
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
  const counts = { open: 0, exec: 0, stat: 0, list: 0, write: 0, link: 0, fail: 0 };
  const directories = new Map<TracedPath, number>();
  const executed: TracedPath[] = [];
  for (const [path, bits] of trace.paths) {
    for (const [name, bit] of Object.entries(uses) as [keyof typeof uses, Uses][])
      if ((bits & bit) !== 0) counts[name]++;
    if ((bits & uses.exec) !== 0) executed.push(path);
    const directory = directoryOf(path, depth);
    directories.set(directory, (directories.get(directory) ?? 0) + 1);
  }
  return {
    uses: counts,
    directories: [...directories]
      .map(([path, paths]) => ({ path, paths }))
      .sort((a, b) => b.paths - a.paths || (a.path < b.path ? -1 : 1)),
    executed: executed.sort(),
  };
}

function directoryOf(path: TracedPath, depth: number): TracedPath {
  const names: ByteString[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else names.push(name);
  }
  return joinBytes(names.slice(0, Math.min(depth, Math.max(0, names.length - 1))), '/');
}
