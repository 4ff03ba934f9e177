/**
 * Finds directories whose files one instruction put there, such as `/app`: they change together. `components-of.ts` gives it the files
 * that no package claims.
 */
import { itemsPerStep, type Steps } from '../steps.ts';
import type { Path } from '../bytes/path.ts';
import type { PathTable } from '../changeset/path-table.ts';
import { isShared } from './places.ts';

/** Several layers. The number of no layer is 0. */
const several = -1;

/** How trees are found. */
export interface TreeSearch {
  /** The directories that are trees already. */
  readonly known: ReadonlySet<Path>;
  /** Whether layers tell which instruction put files there: those of a relayered image do not. */
  readonly byLayer: boolean;
}

/**
 * Returns, by path, the number of the highest directory above it that is known, or whose files are all of one layer; -1 for no such
 * directory. `files` has the layer of each file that nothing claims, by path, and 0 elsewhere. A directory that programs share is never
 * found by its layer, nor is one above or below a known one.
 */
export function* treeSteps(
  table: PathTable,
  files: Int32Array,
  { known, byLayer }: TreeSearch,
): Steps<Int32Array> {
  const { parent, paths } = table;
  const layers = yield* layerSteps(table, files);
  for (const path of known) {
    for (let at = table.findId(path) ?? -1; at >= 0; at = parent[at] as number) layers[at] = several;
  }
  const trees = new Int32Array(paths.length).fill(-1);
  for (let path = 1; path < paths.length; path++) {
    if (path % itemsPerStep === 0) yield;
    const inherited = trees[parent[path] as number] as number;
    const name = paths[path] as Path;
    const found = byLayer && (layers[path] as number) > 0 && table.end[path] !== path + 1 && !isShared(name);
    trees[path] = inherited >= 0 ? inherited : found || known.has(name) ? path : -1;
  }
  return trees;
}

/** Returns, by path, the layer that all files in it are of; 0 for none, or `several`. */
function* layerSteps({ parent, paths }: PathTable, files: Int32Array): Steps<Int32Array> {
  const layers = files.slice();
  for (let path = paths.length - 1; path > 0; path--) {
    if (path % itemsPerStep === 0) yield;
    const layer = layers[path] as number;
    const above = parent[path] as number;
    if (layer === 0) continue;
    const other = layers[above] as number;
    layers[above] = other === 0 || other === layer ? layer : several;
  }
  return layers;
}
