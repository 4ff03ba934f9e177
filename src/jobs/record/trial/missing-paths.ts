/**
 * What a pruned image lacks: names that its program asked for in vain, and that its original has. The job of `slim --record` lists them for a person, and
 * with `--repair` it puts them back.
 */
import type { ByteString } from '../../../bytes/bytes.ts';
import { addUses, type Trace, type TracedPath, type Uses, uses } from '../../../trace/trace.ts';
import type { RootNames } from '../root-names.ts';

/**
 * Returns the names that were not found in a pruned image, and that its original has, through symlinks: as the program wrote them, from the root,
 * each once and sorted.
 */
export function missingPaths(
  absent: readonly TracedPath[],
  original: Pick<RootNames, 'has'>,
  pruned: Pick<RootNames, 'has'>,
): readonly ByteString[] {
  return [...new Set(absent)].filter((path) => !pruned.has(path) && original.has(path)).sort();
}

/**
 * Returns a trace that also uses these paths: what `closure` keeps of an image by it has them, every symlink on their way, and all that they need in
 * turn. They count as opened, not as executed: no trace has shown what a program among them uses, so that the closure has to guess it.
 */
export function withPaths(trace: Trace, added: readonly TracedPath[]): Trace {
  const paths = new Map<TracedPath, Uses>(trace.paths);
  for (const path of added) addUses(paths, path, uses.open);
  return { ...trace, paths };
}
