import type { Change } from '../../changeset/change.ts';
import type { Path } from '../../bytes/path.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import { compareLikeness, likenessOf } from './likeness.ts';

/**
 * Orders the changes of a rewritten layer so that similar files are side by side, whatever order the source had: directories
 * and markers stay first, data is sorted by likeness, hard links by path, each after the name that it links to.
 */
export function orderSimilar(changes: readonly Change[], table: PathTable): Change[] {
  const structure: Change[] = [];
  const data: Change[] = [];
  const links: Change[] = [];
  for (const change of changes) {
    if (change.kind === 'directory' || change.kind === 'whiteout' || change.kind === 'opaque')
      structure.push(change);
    else (change.kind === 'link' ? links : data).push(change);
  }
  const keyed = data.map((change) => ({
    change,
    likeness: likenessOf(change.kind, table.paths[change.path] as Path),
  }));
  keyed.sort((a, b) => compareLikeness(a.likeness, b.likeness));
  return [...structure, ...keyed.map(({ change }) => change), ...orderLinks(links)];
}

/** Sorts hard links. A link to a link comes after that one, though its path may be the smaller one. */
function orderLinks(links: readonly Change[]): Change[] {
  const depths = new Map<number, number>();
  // They come with each after what it names, so that one pass is enough.
  for (const { path, target } of links) depths.set(path, (depths.get(target) ?? -1) + 1);
  const depthOf = ({ path }: Change): number => depths.get(path) as number;
  return [...links].sort((a, b) => depthOf(a) - depthOf(b) || a.path - b.path);
}
