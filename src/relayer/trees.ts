/**
 * Finds directories whose files one instruction put there, such as `/app`: they change together. `components-of.ts` gives it the files
 * that no package claims.
 */
import { itemsPerStep, type Steps } from '../steps.ts';
import type { PathTable } from '../changeset/path-table.ts';
import { isShared } from './places.ts';

/** A file that nothing claims: the number of its path, and the source layer that it is from. */
export interface Unclaimed {
  readonly path: number;
  readonly layer: number;
}

/** No layer, and several. */
const none = 0;
const several = -1;

/**
 * Returns, by path, the number of the highest directory above it whose files are all of one layer; -1 for no such directory. A directory
 * that programs share is never returned.
 */
export function* treeSteps(table: PathTable, files: Iterable<Unclaimed>): Steps<Int32Array> {
  const { parent, paths } = table;
  const size = paths.length;
  /** By path: the layer of the files in it. */
  const layers = new Int32Array(size).fill(none);
  for (const { path, layer } of files) layers[path] = layer;
  for (let path = size - 1; path > 0; path--) {
    if (path % itemsPerStep === 0) yield;
    const layer = layers[path] as number;
    const above = parent[path] as number;
    if (layer === none) continue;
    const known = layers[above] as number;
    layers[above] = known === none || known === layer ? layer : several;
  }
  const trees = new Int32Array(size).fill(-1);
  for (let path = 1; path < size; path++) {
    if (path % itemsPerStep === 0) yield;
    const above = parent[path] as number;
    const inherited = trees[above] as number;
    const begins =
      (layers[path] as number) > none &&
      table.end[path] !== path + 1 &&
      !isShared(paths[path] as (typeof paths)[number]);
    trees[path] = inherited >= 0 ? inherited : begins ? path : -1;
  }
  return trees;
}
