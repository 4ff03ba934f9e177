/**
 * Prunes a whole stack of layers, bottom to top, over the indexes alone. `resolve` calls it for a plan with prunings.
 *
 * Four trees take part:
 *
 * - `original` has all layers as they are. It says what is visible in the end, and which files hard links name.
 * - `before` has the original layers below the current one: what the current layer's markers used to hide.
 * - `pruned` has the pruned layers below the current one: what must not come back. In the end it is the pruned image.
 * - `state` has the current layer alone, over an unknown ground. Entries are taken out of this tree; what is left of it is
 *   expressed against `pruned`.
 */
import type { Change } from '../../changeset/change.ts';
import { type Expression, express, type Promotion } from '../../changeset/express.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { Stack } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import type { Pruning } from '../../image/image.ts';
import { Filesystem } from '../../rootfs/filesystem.ts';
import type { FileFacts } from '../../rootfs/facts/facts.ts';
import type { Steps } from '../../steps.ts';
import { checkPruned } from './check-pruned.ts';
import { LayerPruning, type Removal } from './layer-pruning.ts';
import { type Kept, type Marking, markSteps } from './marking.ts';
import { applyOriginal, type OriginalStack } from './original-stack.ts';
import {
  describeSync,
  type PackageSync,
  type SyncedPackages,
  syncsPackages,
  syncSteps,
} from './package-sync.ts';
import { Survivors } from './survivors.ts';

export interface PrunedStack {
  /** The root filesystem before the pruning. */
  readonly fs: Filesystem;
  /** The root filesystem after it, with cleared mode bits. */
  readonly result: Filesystem;
  /** The layers that change, by source layer number. */
  readonly layers: ReadonlyMap<number, readonly Change[]>;
  /** All layers, changed or not: a squash applies those below its range. */
  readonly all: ReadonlyMap<number, readonly Change[]>;
  readonly removals: readonly Removal[];
  readonly promotions: readonly Promotion[];
  readonly marking: Marking;
  /** Entries that a rule names but that stay, since a layer that was not selected links to them. */
  readonly keptForLinks: readonly Change[];
  /** What became of package databases; null where they stay. */
  readonly synced: SyncedPackages | null;
}

/** What a pruning must know beyond headers. */
export interface PruneQuestions {
  /** Returns what a pruning by trace keeps, null for a pruning without a trace. */
  readonly close?: (pruning: Pruning, fs: Filesystem) => Steps<Kept | null>;
  /** Returns the facts about the files of the image before the pruning. Default: none are known. */
  readonly factsOf?: (fs: Filesystem) => FileFacts;
}

/**
 * Prunes a stack. All layers must be in it: what a layer hides, what would come back from below and what higher layers link
 * to depend on the others.
 *
 * Rules apply to every entry of a selected layer, visible or not; what they remove never comes back from below. `shadowed`
 * drops entries that are not visible in the end, except those whose data a visible link names. Where package databases are to
 * be synced, what goes from them shows only once the rest has been pruned: the stack is pruned again with that.
 * @throws LAYER_INVALID; UNSUPPORTED for a database of rpm that is to be synced; INTERNAL where a path would be lost that no rule names
 */
export function* pruneSteps(
  stack: Stack,
  prunings: readonly Pruning[],
  indexes: ReadonlyMap<number, LayerIndex>,
  { close = withoutTrace, factsOf }: PruneQuestions = {},
): Steps<PrunedStack> {
  const original = applyOriginal(stack);
  yield;
  const fs = new Filesystem(original.stack, original.tree, indexes);
  const closures: Kept[] = [];
  for (const pruning of prunings) {
    const closure = yield* close(pruning, fs);
    if (closure !== null) closures.push(closure);
  }
  yield;
  const known: KnownStack = { original, fs, prunings, indexes, closures };
  const first = yield* pruneWith(known, null);
  if (factsOf === undefined || !syncsPackages(prunings)) return first;
  const facts = factsOf(fs);
  const sync = yield* syncSteps({ fs, facts, result: first.result }, prunings);
  const isIdle = sync.edits.size + sync.gone.size === 0;
  const pruned = isIdle ? first : yield* pruneWith(known, sync);
  return { ...pruned, synced: describeSync(sync, { fs, facts, result: pruned.result }) };
}

/** A stack that is to be pruned, with all that was found out about it. */
interface KnownStack {
  readonly original: OriginalStack;
  readonly fs: Filesystem;
  readonly prunings: readonly Pruning[];
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly closures: readonly Kept[];
}

/** Prunes a stack. `sync` is what also changes in package databases; null for nothing. @throws INTERNAL */
function* pruneWith(
  { original, fs, prunings, indexes, closures }: KnownStack,
  sync: PackageSync | null,
): Steps<PrunedStack> {
  const marking = yield* markSteps({
    stack: original.stack,
    final: original.tree,
    prunings,
    indexes,
    closures,
    ...(sync === null ? {} : { gone: sync.gone }),
  });
  const survivors = new Survivors(original, prunings, marking);
  const changed = new Set([...marking.cleared.keys(), ...(sync?.edits.keys() ?? [])]);
  const run = new StackPruning(original, { isChanged: ({ id }) => changed.has(id), survivors });
  for (const [layer, changes] of original.stack.layers) {
    yield;
    run.add(layer, changes);
  }
  yield;
  const removals = [...run.removals, ...run.impliedRemovals()];
  checkPruned(original.tree, run.pruned, removals);
  const modes = new Map([...marking.cleared].map(([id, { to }]) => [id, to] as const));
  return {
    fs,
    result: new Filesystem(original.stack, run.pruned, indexes, modes),
    layers: run.changed,
    all: run.all,
    removals,
    promotions: run.promotions,
    marking,
    keptForLinks: survivors.forced.filter(({ id }) => marking.removed.has(id)),
    synced: null,
  };
}

/** Stands for prunings of which none has a trace. */
// oxlint-disable-next-line require-yield
function* withoutTrace(): Steps<null> {
  return null;
}

/** A pruning under way: the layers up to the current one, as they were and as they have become. */
class StackPruning {
  readonly pruned: Tree;
  readonly changed = new Map<number, readonly Change[]>();
  readonly all = new Map<number, readonly Change[]>();
  readonly removals: Removal[] = [];
  readonly promotions: Promotion[] = [];
  readonly #before: Tree;
  readonly #original: OriginalStack;
  /** Tells whether an entry that stays gets other attributes or contents. */
  readonly #isChanged: (change: Change) => boolean;
  readonly #survivors: Survivors;
  /** Directories without an entry that a rule took, each with the last layer that it went from. */
  readonly #impliedGone = new Map<number, number>();

  constructor(
    original: OriginalStack,
    {
      isChanged,
      survivors,
    }: { readonly isChanged: (change: Change) => boolean; readonly survivors: Survivors },
  ) {
    const { table, list } = original.stack;
    this.#original = original;
    this.#isChanged = isChanged;
    this.#survivors = survivors;
    this.#before = new Tree(table, list);
    this.pruned = new Tree(table, list);
  }

  /** Prunes the next layer, if it was selected, and puts it on top. */
  add(layer: number, changes: readonly Change[]): void {
    const expression = this.#survivors.isSelected(layer) ? this.#prune(layer, changes) : null;
    if (expression !== null) {
      this.changed.set(layer, expression.changes);
      for (const promotion of expression.promoted) this.promotions.push(promotion);
    }
    const result = expression?.changes ?? changes;
    this.#before.apply(changes);
    this.pruned.apply(result);
    this.all.set(layer, result);
  }

  /** Returns what is left of a layer; null where it stays as it is. */
  #prune(layer: number, changes: readonly Change[]): Expression | null {
    const { table, list } = this.#original.stack;
    const state = new Tree(table, list, 'unknown');
    state.apply(changes);
    const survivors = this.#survivors.inLayer(layer, this.all.size + 1);
    const pruning = new LayerPruning(
      changes,
      { state, before: this.#before, pruned: this.pruned },
      survivors,
    );
    pruning.takeByRule();
    for (const path of pruning.takeImplied()) this.#impliedGone.set(path, layer);
    if (this.#survivors.dropsShadowed(layer)) pruning.takeShadowed();
    pruning.takeIdleMarkers();
    const isChanged = changes.some(this.#isChanged);
    if (!pruning.any && !isChanged && !this.#cutsLinks(layer)) return null;
    const expression = express(state, list, {
      below: { kind: 'known', tree: this.pruned },
      own: new Set([layer]),
      wanted: (path) => !pruning.tookDirectory(path) && survivors.isWanted(path),
    });
    for (const removal of pruning.removals(expression.changes)) this.removals.push(removal);
    return expression;
  }

  /** Tells whether a hard link of this layer no longer finds its file in the layers below. */
  #cutsLinks(layer: number): boolean {
    const links = this.#original.crossings.linksOf(layer);
    return links.some(({ target, file }) => this.pruned.file[target] !== file + 1);
  }

  /** Returns the directories that are gone though no layer has an entry for them, for the report. */
  impliedRemovals(): readonly Removal[] {
    const { tree, stack } = this.#original;
    return [...this.#impliedGone].flatMap(([path, layer]): readonly Removal[] => {
      const rule = this.#survivors.ruleForDirectory(path);
      if (rule === null || tree.node[path] === 0 || this.pruned.node[path] !== 0) return [];
      const made = { kind: 'directory', path, target: -1, layer, entry: -1, form: 'made' } as const;
      return [{ change: stack.list.create(made), reason: { kind: 'rule', rule }, how: 'freed' }];
    });
  }
}
