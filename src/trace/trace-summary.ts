import { type Trace, type TracedPath, type Uses, uses } from './trace.ts';

/** What a trace saw, counted. */
export interface TraceSummary {
  /** Paths by what was done with them; one path counts for each. */
  readonly uses: Readonly<Record<keyof typeof uses, number>>;
  /** Paths by the directory that they are in; what is deeper than the limit counts for the directory at the limit. Most first. */
  readonly directories: readonly { readonly path: TracedPath; readonly paths: number }[];
  /** What was executed, sorted. */
  readonly executed: readonly TracedPath[];
}

/** `depth`: how many names a directory may have. `..` in a path is taken as text here. */
export function summarizeTrace(trace: Trace, depth = 3): TraceSummary {
  const counts = { open: 0, exec: 0, stat: 0, list: 0, write: 0, link: 0 };
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
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else names.push(name);
  }
  return names.slice(0, Math.min(depth, Math.max(0, names.length - 1))).join('/');
}
