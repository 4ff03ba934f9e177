import { type Path } from '../../bytes/path.ts';
import type { Change, ChangeList } from '../../changeset/change.ts';
import { buildEdit, type LayerEdit } from '../../changeset/edit.ts';
import { EntrySet } from '../../changeset/entry-set.ts';
import { type Below, express, NeedsLayersBelow, type Promotion } from '../../changeset/express.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import { buildStack } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import { OcislimError } from '../../errors.ts';
import { type Image, type LayerRange, numbersIn } from '../../image/image.ts';
import type { Rule } from '../../rules/rule.ts';
import {
  type CheckedClosure,
  checkTraced,
  closeImage,
  type TraceClosure,
} from '../../closure/close-image.ts';
import { arrangementOf } from '../arrange.ts';
import { type LinkedDuplicate, linkDuplicates } from './duplicates.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import { mergeFacts } from '../../rootfs/facts/merged-facts.ts';
import { readRuntime } from '../../oci/runtime.ts';
import type { Removal } from './layer-pruning.ts';
import { type PrunedStack, pruneStack } from './prune-stack.ts';
import { orderSimilar } from './ordering.ts';
import { compareSurface, type Surface } from '../../rootfs/surface/surface.ts';
import { restoreStack } from './restore-stack.ts';
import { untouched } from './untouched.ts';

/** What a layer of the new image holds, once the headers have been read. */
export type ResolvedContent =
  | { readonly kind: 'stored'; readonly layer: number }
  | {
      readonly kind: 'edited';
      readonly range: LayerRange;
      readonly edit: LayerEdit;
      readonly isEmpty: boolean;
    }
  /** What comes back from the original, on top of the source layer `above`. */
  | {
      readonly kind: 'restored';
      readonly above: number;
      readonly edit: LayerEdit;
      readonly isEmpty: boolean;
    };

/** What came back from the original. */
export interface Restoration {
  /** In path order, ancestors and the other names of hard links included. */
  readonly changes: readonly Change[];
  /** Paths that are still not as in the original. */
  readonly missing: number;
}

export interface Resolution {
  readonly contents: readonly ResolvedContent[];
  readonly table: PathTable | null;
  readonly removals: readonly Removal[];
  readonly promotions: readonly Promotion[];
  /** Files that became hard links to others that are the same, layer by layer. */
  readonly linked: readonly LinkedDuplicate[];
  /** Changes whose setuid and setgid bits go, with both modes. */
  readonly cleared: ReadonlyMap<number, { readonly from: number; readonly to: number }>;
  readonly change: (id: number) => Change;
  readonly keptForLinks: readonly Change[];
  readonly unusedRules: readonly Rule[];
  /** What prunings by trace keep, and why. */
  readonly traced: readonly CheckedClosure[];
  /** What helps an attacker, before and after; null where nothing was pruned. */
  readonly surface: Surface | null;
  /** Null for an image that nothing is restored to. */
  readonly restored: Restoration | null;
}

/**
 * Decides which entries of which layer survive, and what is borrowed. Pure: the same image and indexes give the same
 * resolution. Returns `needs` where a hard link makes further layers necessary. `facts`, by source layer number, are what
 * prunings by trace must know of the files: see `probeFor`.
 * @throws UNSAFE, LAYER_INVALID, TAR_INVALID (data after the end mark of a layer that would be rewritten)
 */
export function resolve(
  image: Image,
  indexes: ReadonlyMap<number, LayerIndex>,
  mtimeOf: (range: LayerRange | null) => number,
  facts: ReadonlyMap<number, LayerFacts> = new Map(),
):
  | { readonly kind: 'resolved'; readonly resolution: Resolution }
  | { readonly kind: 'needs'; readonly layers: readonly number[] } {
  const { layers, prunings, arrangements } = image.plan;
  if (image.original !== null)
    return { kind: 'resolved', resolution: resolveRestored(image, indexes, mtimeOf) };
  if (indexes.size === 0) return { kind: 'resolved', resolution: untouched(image) };
  const stack = buildStack(indexes);
  const closures: TraceClosure[] = [];
  const pruned =
    prunings.length > 0
      ? pruneStack(stack, prunings, indexes, (pruning, fs) => {
          const made = closeImage(image, pruning, fs, mergeFacts(fs, facts));
          if (made !== null) closures.push(made);
          return made?.closure ?? null;
        })
      : null;
  const isGone = (path: Path) => pruned?.result.kind(path) === null;
  const traced = closures.map((closure) => checkTraced(image, closure, isGone));
  const changes = pruned?.all ?? stack.layers;
  const promotions = [...(pruned?.promotions ?? [])];
  const removals = [...(pruned?.removals ?? [])];
  const modes = new Map([...(pruned?.marking.cleared ?? [])].map(([id, { to }]) => [id, to] as const));
  const linked: LinkedDuplicate[] = [];
  const contents: ResolvedContent[] = [];
  for (const { content } of layers) {
    if (content.kind === 'stored') {
      contents.push(content);
      continue;
    }
    if (content.kind === 'restored') throw new OcislimError('INTERNAL', 'nothing to restore from');
    const range: LayerRange = { from: content.from, to: content.to };
    const { order, hardlinks, always } = arrangementOf(arrangements, content);
    const own = range.from === range.to ? pruned?.layers.get(range.from) : undefined;
    if (range.from === range.to && own === undefined && !always) {
      contents.push({ kind: 'stored', layer: range.from });
      continue;
    }
    let written: readonly Change[];
    if (own !== undefined) {
      written = own;
    } else {
      const expression = merge(
        range,
        changes,
        stack.table,
        stack.list,
        belowOf(range, changes, pruned, indexes, stack),
      );
      if (expression === null) return { kind: 'needs', layers: numbersIn({ from: 1, to: range.from - 1 }) };
      written = expression.changes;
      for (const promotion of expression.promoted) promotions.push(promotion);
      const merged = numbersIn(range).map((layer) => changes.get(layer) ?? []);
      for (const removal of lostIn(merged, written)) removals.push(removal);
    }
    if (hardlinks) {
      const result = linkDuplicates(written, stack.list, indexes, facts);
      written = result.changes;
      for (const each of result.linked) linked.push(each);
    }
    if (order === 'similar') written = orderSimilar(written, stack.table);
    refuseGarbage([...numbersIn(range), ...written.map((change) => change.layer)], indexes);
    // A promoted or relinked change inherits the permission bits that its original was to get.
    for (const change of written) {
      const mode = change.file >= 0 ? modes.get(change.file) : undefined;
      if (mode !== undefined && !modes.has(change.id)) modes.set(change.id, mode);
    }
    const edit = buildEdit(written, stack.table, indexes, { mtime: mtimeOf(range), modes });
    contents.push({ kind: 'edited', range, edit, isEmpty: written.length === 0 });
  }
  return {
    kind: 'resolved',
    resolution: {
      contents,
      table: stack.table,
      removals,
      promotions,
      linked,
      cleared: pruned?.marking.cleared ?? new Map(),
      change: (id) => stack.list.get(id),
      keptForLinks: pruned?.keptForLinks ?? [],
      unusedRules: pruned?.marking.unused ?? [],
      traced,
      surface: pruned === null ? null : compareSurface(readRuntime(image.config), pruned.fs, pruned.result),
      restored: null,
    },
  };
}

/** The layers stay; what comes back from the original makes one more on top of them. */
function resolveRestored(
  image: Image,
  indexes: ReadonlyMap<number, LayerIndex>,
  mtimeOf: (range: LayerRange | null) => number,
): Resolution {
  const stack = buildStack(indexes);
  const { changes, promoted, missing, returned } = restoreStack(
    stack,
    image.manifest.layers.length,
    image.plan.restoring,
    indexes,
  );
  refuseGarbage(
    changes.map((change) => change.layer),
    indexes,
  );
  const contents = image.plan.layers.map(({ content }): ResolvedContent => {
    switch (content.kind) {
      case 'stored':
        return content;
      case 'rewritten':
        throw new OcislimError('INTERNAL', 'a plan that restores rewrites no layer');
      case 'restored': {
        const edit = buildEdit(changes, stack.table, indexes, { mtime: mtimeOf(null), modes: new Map() });
        return { kind: 'restored', above: content.above, edit, isEmpty: changes.length === 0 };
      }
    }
  });
  return {
    ...untouched(image),
    contents,
    table: stack.table,
    promotions: promoted,
    change: (id) => stack.list.get(id),
    restored: { changes: returned, missing },
  };
}

/** What a squash knows of the layers below its range. */
function belowOf(
  range: LayerRange,
  changes: ReadonlyMap<number, readonly Change[]>,
  pruned: PrunedStack | null,
  indexes: ReadonlyMap<number, LayerIndex>,
  stack: { readonly table: PathTable; readonly list: ChangeList },
): Below {
  if (range.from === 1) return { kind: 'nothing' };
  const lower = numbersIn({ from: 1, to: range.from - 1 });
  if (pruned === null && !lower.every((layer) => indexes.has(layer))) return { kind: 'unknown' };
  const tree = new Tree(stack.table, stack.list);
  for (const layer of lower) {
    tree.apply(changes.get(layer) as readonly Change[], {
      onLink: (link, file) => void stack.list.resolve(link, file),
    });
  }
  return { kind: 'known', tree };
}

/** Null where a link needs the layers below. */
function merge(
  range: LayerRange,
  changes: ReadonlyMap<number, readonly Change[]>,
  table: PathTable,
  list: ChangeList,
  below: Below,
) {
  const tree = new Tree(table, list, below.kind === 'nothing' ? 'nothing' : 'unknown');
  const whole = below.kind === 'known' ? new LinkResolver(below.tree, list) : null;
  for (const layer of numbersIn(range)) {
    const own = changes.get(layer) as readonly Change[];
    tree.apply(whole === null ? own : whole.resolve(own));
  }
  try {
    return express(tree, list, { below, own: new Set(numbersIn(range)) });
  } catch (error) {
    if (error instanceof NeedsLayersBelow) return null;
    throw error;
  }
}

/** Binds the hard links of a range to the files of the layers below it, by applying both to one tree. */
class LinkResolver {
  readonly #tree: Tree;
  readonly #list: ChangeList;

  constructor(below: Tree, list: ChangeList) {
    this.#tree = below.clone();
    this.#list = list;
  }

  resolve(layer: readonly Change[]): readonly Change[] {
    this.#tree.apply(layer, { onLink: (link, file) => void this.#list.resolve(link, file) });
    return layer.map((change) =>
      change.kind === 'link' && change.file < 0 ? this.#list.get(change.id) : change,
    );
  }
}

const squashed = { kind: 'squashed' } as const;

/** The entries of a range that its merged layer does not hold. What was made on the way does not count. */
function lostIn(layers: readonly (readonly Change[])[], written: readonly Change[]): Removal[] {
  const left = new EntrySet();
  for (const change of written) if (change.entry >= 0) left.add(change.layer, change.entry);
  const removals: Removal[] = [];
  for (const changes of layers) {
    for (const change of changes) {
      if (change.form === 'made' || left.has(change.layer, change.entry)) continue;
      removals.push({ change, reason: squashed, how: 'freed' });
    }
  }
  return removals;
}

function refuseGarbage(layers: readonly number[], indexes: ReadonlyMap<number, LayerIndex>): void {
  const layer = layers.find((number) => indexes.get(number)?.end === 'garbage');
  if (layer === undefined) return;
  throw new OcislimError(
    'TAR_INVALID',
    `layer ${layer} holds data after the end mark of its tar, which no program would see`,
    {
      advice: 'Leave this layer out of the selection, or write it anew with another tar program.',
    },
  );
}
