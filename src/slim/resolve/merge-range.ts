/**
 * Merges a range of layers into one: the squash itself, over the indexes alone. `resolve` calls it for each layer of the plan
 * that has several source layers, or one that no pruning has changed.
 */
import type { Change, ChangeList } from '../../changeset/change.ts';
import { EntrySet } from '../../changeset/entry-set.ts';
import { type Below, express, NeedsLayersBelow, type Promotion } from '../../changeset/express.ts';
import type { Stack } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import { type LayerRange, numbersIn } from '../../image/image.ts';
import type { Removal } from './layer-pruning.ts';

/** A range of layers as one. */
export interface MergedRange {
  readonly changes: readonly Change[];
  readonly promotions: readonly Promotion[];
  /** The entries that the merged layer does not hold. */
  readonly removals: readonly Removal[];
}

/**
 * Merges a range. Returns null where a hard link leads to a layer below the range which is not in the stack: the caller reads
 * the layers below and calls again. @throws LAYER_INVALID
 */
export function mergeRange(range: LayerRange, stack: Stack): MergedRange | null {
  const { table, list } = stack;
  const numbers = numbersIn(range);
  const layers = numbers.map((layer) => stack.layers.get(layer) ?? []);
  const below = layersBelow(range, stack);
  const tree = new Tree(table, list, below.kind === 'nothing' ? 'nothing' : 'unknown');
  const binder = below.kind === 'known' ? new LinkBinder(below.tree, list) : null;
  for (const changes of layers) tree.apply(binder === null ? changes : binder.bind(changes));
  try {
    const { changes, promoted } = express(tree, list, { below, own: new Set(numbers) });
    return { changes, promotions: promoted, removals: lostFrom(layers, changes) };
  } catch (error) {
    if (error instanceof NeedsLayersBelow) return null;
    throw error;
  }
}

/** Returns what is known of the layers below a range: their tree, where all of them are in the stack. */
function layersBelow({ from }: LayerRange, { table, list, layers }: Stack): Below {
  if (from === 1) return { kind: 'nothing' };
  const lower = numbersIn({ from: 1, to: from - 1 });
  if (!lower.every((layer) => layers.has(layer))) return { kind: 'unknown' };
  const tree = new Tree(table, list);
  for (const layer of lower) {
    tree.apply(layers.get(layer) ?? [], { onLink: (link, file) => void list.resolve(link, file) });
  }
  return { kind: 'known', tree };
}

/** Binds the hard links of a range to the files of the layers below it, by applying both to one tree. */
class LinkBinder {
  readonly #tree: Tree;
  readonly #list: ChangeList;

  constructor(below: Tree, list: ChangeList) {
    this.#tree = below.clone();
    this.#list = list;
  }

  /** Applies the next layer of the range. Returns its changes with every link bound to its file. */
  bind(layer: readonly Change[]): readonly Change[] {
    this.#tree.apply(layer, { onLink: (link, file) => void this.#list.resolve(link, file) });
    return layer.map((change) =>
      change.kind === 'link' && change.file < 0 ? this.#list.get(change.id) : change,
    );
  }
}

const squashed = { kind: 'squashed' } as const;

/** Returns the entries of some layers that the written one does not hold. What a pruning made is not counted. */
function lostFrom(layers: readonly (readonly Change[])[], written: readonly Change[]): readonly Removal[] {
  const left = new EntrySet();
  for (const { layer, entry } of written) if (entry >= 0) left.add(layer, entry);
  const removals: Removal[] = [];
  for (const changes of layers) {
    for (const change of changes) {
      if (change.form === 'made' || left.has(change.layer, change.entry)) continue;
      removals.push({ change, reason: squashed, how: 'freed' });
    }
  }
  return removals;
}
