/**
 * The tree that one scope of an image shows: what stands at each path, how large it is with all below it, and what a layer did to it.
 * The model computes one for each layer that is selected, and for each filter.
 */
import type { Change } from '../../changeset/change.ts';
import type { Contents } from './contents.ts';
import type { Filter } from './filter.ts';

/** Which layers a tree shows. */
export interface Scope {
  /** The number of a layer, from 1; 0 for the whole image. */
  readonly layer: number;
  /** Whether to show the changes of the layer alone. Otherwise all layers up to it are merged. */
  readonly isAlone: boolean;
}

/** What a layer did to a path, in the order of their numbers. In the scope of the whole image, the layers above the first did it. */
export const statusNames = ['unchanged', 'added', 'changed', 'removed'] as const;
export type Status = (typeof statusNames)[number];
const [unchanged, added, changed, removed] = [0, 1, 2, 3];

/** Statuses of paths that are shown. */
export type Shown = Readonly<Record<Status, boolean>>;

/** A tree as columns by path. */
export interface ScopeTree {
  readonly scope: Scope;
  /** The change that stands there, or stood there until the layer removed it, plus one; -1 for an implied directory; 0 for nothing. */
  readonly node: Int32Array;
  /** Numbers of `statusNames`. */
  readonly status: Uint8Array;
  /** 1 for a row to show: it matches the filter, or something below it does. */
  readonly shown: Uint8Array;
  /** Bytes of the files at and below a path that match the filter, each inode once. What was removed counts only in what was removed. */
  readonly total: Float64Array;
  /** Files at and below a path that match, hard links included. */
  readonly files: Int32Array;
  /** The children of directories that were asked for, the largest first. */
  readonly sorted: Map<number, Int32Array>;
}

/** Computes the tree of a scope, in time proportional to the paths. */
export function treeOf(contents: Contents, scope: Scope, shown: Shown, filter: Filter | null): ScopeTree {
  const { node, status } = nodesOf(contents, scope);
  const count = node.length;
  const wanted = Uint8Array.from(statusNames, (name) => (shown[name] ? 1 : 0));
  // Directories above what the layer did are shown all the same, through what lies in them.
  if (scope.isAlone && scope.layer > 0) wanted[unchanged] = 0;
  const tree: ScopeTree = {
    scope,
    node,
    status,
    shown: new Uint8Array(count),
    total: new Float64Array(count),
    files: new Int32Array(count),
    sorted: new Map(),
  };
  const counted = new Uint8Array(contents.changes.file.length);
  // A file that still has a name counts at that, not where a layer removed another.
  const staying = wanted.slice();
  staying[removed] = 0;
  take(contents, tree, { wanted: staying, counted, filter });
  if (wanted[removed] === 1 && status.includes(removed))
    take(contents, tree, { wanted: Uint8Array.of(0, 0, 0, 1), counted, filter });
  addUp(contents, tree);
  return tree;
}

/** Shows the paths of some statuses that match the filter, each file with its bytes at the first of its names. */
function take(
  { changes: { file, size } }: Contents,
  { node, status, shown, total, files }: ScopeTree,
  {
    wanted,
    counted,
    filter,
  }: { readonly wanted: Uint8Array; readonly counted: Uint8Array; readonly filter: Filter | null },
): void {
  for (let path = 1; path < node.length; path++) {
    const at = node[path] as number;
    if (at === 0) continue;
    const state = status[path] as number;
    if (wanted[state] === 0) continue;
    const carrier = at > 0 ? (file[at - 1] as number) : -1;
    const bytes = carrier < 0 ? 0 : (size[carrier] as number);
    if (filter !== null && !filter.matches(path, at, state, bytes)) continue;
    shown[path] = 1;
    if (carrier < 0) continue;
    files[path] = 1;
    if (counted[carrier] === 0) total[path] = bytes;
    counted[carrier] = 1;
  }
}

/** Adds what lies below to each directory, from the last path to the first. */
function addUp({ table: { parent } }: Contents, { status, total, files, shown }: ScopeTree): void {
  for (let path = shown.length - 1; path > 0; path--) {
    if (shown[path] === 0) continue;
    const above = parent[path] as number;
    shown[above] = 1;
    if (status[path] === removed && status[above] !== removed) continue;
    total[above] = (total[above] as number) + (total[path] as number);
    files[above] = (files[above] as number) + (files[path] as number);
  }
}

/** Finds what stands at each path, and what the layer of the scope did to it. */
function nodesOf(
  contents: Contents,
  scope: Scope,
): { readonly node: Int32Array; readonly status: Uint8Array } {
  const { spans, layers, table } = contents;
  const count = table.paths.length;
  const node = new Int32Array(count);
  const status = new Uint8Array(count);
  const last = scope.layer === 0 ? layers.length : scope.layer;
  // The whole image is compared with its first layer, one layer with those below it.
  const before = scope.layer === 0 ? Math.min(1, last - 1) : last - 1;
  const { path: paths, from, until, node: nodes } = spans;
  const had = new Int32Array(count);
  for (let i = 0; i < paths.length; i++) {
    const path = paths[i] as number;
    const begins = from[i] as number;
    if (begins > last) continue;
    const ends = until[i] as number;
    const wasThere = begins <= before && (ends === 0 || ends > before);
    const stands = nodes[i] as number;
    if (wasThere) had[path] = stands;
    if (ends === 0 || ends > last) {
      node[path] = stands;
      const other = had[path] as number;
      status[path] = other === stands ? unchanged : other === 0 ? added : compare(contents, other, stands);
    } else if (wasThere || scope.layer === 0) {
      node[path] = stands;
      status[path] = removed;
    }
  }
  return { node, status };
}

/** Compares two nodes of one path. A directory with the attributes of the one before counts as unchanged. */
function compare({ changes: { all }, indexes }: Contents, before: number, now: number): number {
  const [old, current] = [all[before - 1], all[now - 1]];
  const isDirectory = (node: number, change: Change | undefined) => node < 0 || change?.kind === 'directory';
  if (!isDirectory(before, old) || !isDirectory(now, current)) return changed;
  if (old === undefined || current === undefined) return unchanged;
  const [one, other] = [indexes.get(old.layer), indexes.get(current.layer)];
  const isSame =
    one?.modes[old.entry] === other?.modes[current.entry] &&
    one?.uids[old.entry] === other?.uids[current.entry];
  return isSame ? unchanged : changed;
}

/** Orders of the children of a directory. */
export const orders = ['size', 'name'] as const;
export type Order = (typeof orders)[number];

/** Returns the children of a directory that are shown, the largest first. They are sorted when they are first asked for. */
export function childrenOf({ table: { end } }: Contents, tree: ScopeTree, directory: number): Int32Array {
  const known = tree.sorted.get(directory);
  if (known !== undefined) return known;
  const { shown, total } = tree;
  const last = end[directory] as number;
  let count = 0;
  for (let at = directory + 1; at < last; at = end[at] as number) count += shown[at] as number;
  const found = new Int32Array(count);
  count = 0;
  for (let at = directory + 1; at < last; at = end[at] as number) if (shown[at] === 1) found[count++] = at;
  const sorted = count <= few ? insertBySize(found, total) : bySize(found, total);
  tree.sorted.set(directory, sorted);
  return sorted;
}

/** Children that are sorted by insertion: nearly all directories have no more. */
const few = 40;

function insertBySize(paths: Int32Array, total: Float64Array): Int32Array {
  for (let i = 1; i < paths.length; i++) {
    const path = paths[i] as number;
    const bytes = total[path] as number;
    let at = i;
    while (at > 0 && (total[paths[at - 1] as number] as number) < bytes) {
      paths[at] = paths[at - 1] as number;
      at--;
    }
    paths[at] = path;
  }
  return paths;
}

/** Sorts paths by size, the largest first, those of one size by name. */
function bySize(paths: Int32Array, total: Float64Array): Int32Array {
  const count = paths.length;
  let most = 0;
  for (const path of paths) most = Math.max(most, total[path] as number);
  // Sorting numbers costs a tenth of sorting with a comparison: size and place are one number where that is exact.
  if ((most + 1) * count >= Number.MAX_SAFE_INTEGER)
    return paths.sort((a, b) => (total[b] as number) - (total[a] as number) || a - b);
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) keys[i] = (most - (total[paths[i] as number] as number)) * count + i;
  keys.sort();
  const sorted = new Int32Array(count);
  for (let i = 0; i < count; i++) sorted[i] = paths[(keys[i] as number) % count] as number;
  return sorted;
}

/** Tells whether a path is shown as a directory: by its entry, or since only others below it are shown. */
export function isDirectory({ changes }: Contents, tree: ScopeTree, path: number): boolean {
  const node = tree.node[path] as number;
  return node <= 0 || changes.all[node - 1]?.kind === 'directory';
}

/** Tells whether something is shown below a path. */
export function hasChildren({ table: { end } }: Contents, tree: ScopeTree, path: number): boolean {
  const last = end[path] as number;
  for (let at = path + 1; at < last; at = end[at] as number) if (tree.shown[at] === 1) return true;
  return false;
}
