/**
 * What became of every entry of every layer: whether the final root filesystem shows it, and if not, which layer hides it. The
 * analysis, the page and `explore` read their words and colours from here.
 */
import type { Change } from '../changeset/change.ts';
import type { LayerIndex } from '../changeset/layer-index.ts';
import type { Stack } from '../changeset/stack.ts';
import { Tree } from '../changeset/tree.ts';
import { itemsPerStep, type Steps } from '../steps.ts';

/**
 * The fates of entries, in the order of their numbers. `kept`: a container sees it. `replaced`: another entry has its path, in a
 * layer above or later in its own. `deleted`: a whiteout, an opaque marker or a file in the place of a directory took it away.
 * `marker`: a whiteout or opaque marker. `ignored`: neither content nor a marker.
 */
export const fateNames = ['kept', 'replaced', 'deleted', 'marker', 'ignored'] as const;
export type Fate = (typeof fateNames)[number];

export const fates = { kept: 0, replaced: 1, deleted: 2, marker: 3, ignored: 4 } as const satisfies Record<
  Fate,
  number
>;

/** The fates of the entries of one layer, in columns by entry. */
export interface LayerFates {
  /** Numbers of `fateNames`. */
  readonly fate: Uint8Array;
  /** The layer, from 1, that hides the entry: its own where a later entry has the path. 0 for what is not hidden. */
  readonly hiddenBy: Uint32Array;
  /**
   * 1 for a regular file with data that no visible name shows: its bytes are reclaimable. A file whose own name is hidden, but which
   * a hard link still shows, has 0.
   */
  readonly lost: Uint8Array;
}

/** The fates of a whole image, and the tree of its final root filesystem. */
export interface ImageFates {
  /** By source layer number, from 1. */
  readonly layers: ReadonlyMap<number, LayerFates>;
  readonly tree: Tree;
}

/** Applies all layers of a stack, lowest first, and notes what each hides. @throws LAYER_INVALID */
export function* fateSteps(stack: Stack, indexes: ReadonlyMap<number, LayerIndex>): Steps<ImageFates> {
  const tree = new Tree(stack.table, stack.list);
  const layers = new Map<number, LayerFates>();
  for (const [number, { kinds }] of indexes)
    layers.set(number, {
      fate: new Uint8Array(kinds.length).fill(fates.ignored),
      hiddenBy: new Uint32Array(kinds.length),
      lost: new Uint8Array(kinds.length),
    });
  const before = new Int32Array(stack.table.paths.length);
  const columnsOf = ({ layer }: Change) => layers.get(layer) as LayerFates;
  const hide = (change: Change, by: number, fate: number) => {
    const columns = columnsOf(change);
    columns.fate[change.entry] = fate;
    columns.hiddenBy[change.entry] = by;
  };
  for (const [number, changes] of stack.layers) {
    tree.apply(changes);
    yield;
    for (const change of changes) {
      const isMarker = change.kind === 'whiteout' || change.kind === 'opaque';
      if (isMarker) columnsOf(change).fate[change.entry] = fates.marker;
      else if (tree.node[change.path] === change.id + 1) columnsOf(change).fate[change.entry] = fates.kept;
      else hide(change, number, tree.node[change.path] === 0 ? fates.deleted : fates.replaced);
    }
    for (let path = 0; path < before.length; path++) {
      if (path % itemsPerStep === itemsPerStep - 1) yield;
      const [was, is] = [before[path] as number, tree.node[path] as number];
      if (was === is) continue;
      if (was > 0) hide(stack.list.get(was - 1), number, is === 0 ? fates.deleted : fates.replaced);
      before[path] = is;
    }
  }
  yield* markLost(stack, tree, columnsOf);
  return { layers, tree };
}

/** Marks the data of files that have no visible name left. */
function* markLost(stack: Stack, tree: Tree, columnsOf: (change: Change) => LayerFates): Steps<void> {
  const shown = new Set<number>();
  for (let path = 0; path < tree.node.length; path++) {
    if (path % itemsPerStep === itemsPerStep - 1) yield;
    if (tree.node[path] !== 0 && (tree.file[path] as number) > 0) shown.add((tree.file[path] as number) - 1);
  }
  for (const changes of stack.layers.values()) {
    for (const change of changes)
      if (change.kind === 'file' && !shown.has(change.id)) columnsOf(change).lost[change.entry] = 1;
    yield;
  }
}
