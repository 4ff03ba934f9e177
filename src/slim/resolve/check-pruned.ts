/**
 * The proof, over the indexes alone, that a pruning loses nothing but what rules name. `pruneSteps` ends with it, before a
 * byte is written.
 */
import { type Path, quotePath } from '../../bytes/path.ts';
import type { Tree } from '../../changeset/tree.ts';
import { OcislimError } from '../../errors.ts';
import type { Removal } from './layer-pruning.ts';

/** Checks that the pruned image shows what the original showed, less what a rule took. @throws INTERNAL naming the first path */
export function checkPruned(original: Tree, pruned: Tree, removals: readonly Removal[]): void {
  const ruled = new Set<number>();
  for (const { change, reason } of removals) if (reason.kind === 'rule') ruled.add(change.path);
  for (let path = 0; path < original.node.length; path++) {
    const isGone = original.node[path] !== 0 && pruned.node[path] === 0;
    if (isGone ? isCovered(ruled, path, original) : isSame(original, pruned, path)) continue;
    throw new OcislimError(
      'INTERNAL',
      `pruning would have changed ${quotePath(original.table.paths[path] as Path)}, which no rule names`,
      { advice: 'Nothing was written. Please report this.' },
    );
  }
}

/** Tells whether the path, or a directory above it, is among these. */
function isCovered(ruled: ReadonlySet<number>, path: number, { table }: Tree): boolean {
  for (let at = path; at >= 0; at = table.parent[at] as number) if (ruled.has(at)) return true;
  return false;
}

/** Tells whether both have the same at a path: a directory from the same entry, an implied one, the same file, or nothing. */
function isSame(original: Tree, pruned: Tree, path: number): boolean {
  const was = original.at(path);
  if (was?.kind === 'directory') return was.id === pruned.at(path)?.id;
  if (original.isImplied(path)) return pruned.isImplied(path) || pruned.at(path)?.form === 'made';
  return (
    original.file[path] === pruned.file[path] && (original.node[path] === 0) === (pruned.node[path] === 0)
  );
}
