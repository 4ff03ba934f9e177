/**
 * The pruning of one layer: what goes from it, and why. `pruneSteps` makes one for each selected layer, calls its `take…`
 * methods in their order here, expresses the state that is left, and asks what was removed.
 */
import type { Change } from '../../changeset/change.ts';
import { EntrySet } from '../../changeset/entry-set.ts';
import type { Tree } from '../../changeset/tree.ts';
import type { Rule } from '../../rules/rule.ts';
import { isMarker, type LayerSurvivors } from './survivors.ts';

/** Why an entry is gone. */
export type Reason =
  | { readonly kind: 'rule'; readonly rule: Rule }
  /** A layer above hides it, or a later entry of its own layer replaces it. */
  | { readonly kind: 'shadowed' }
  /** It is a whiteout or an opaque marker with nothing left to hide. */
  | { readonly kind: 'idle' }
  /** Another layer of a squashed range replaced it, or it is a marker that has taken effect within the range. */
  | { readonly kind: 'squashed' };

export interface Removal {
  readonly change: Change;
  readonly reason: Reason;
  /** `hidden`: a layer that was not selected carries the path too, so that a whiteout had to take its place. */
  readonly how: 'freed' | 'hidden';
}

/** Three of the four trees that the head of `prune-stack.ts` describes. */
export interface LayerTrees {
  readonly state: Tree;
  readonly before: Tree;
  readonly pruned: Tree;
}

export class LayerPruning {
  readonly #changes: readonly Change[];
  readonly #state: Tree;
  readonly #before: Tree;
  readonly #pruned: Tree;
  readonly #survivors: LayerSurvivors;
  readonly #reasons = new Map<number, Reason>();
  /** Removed changes, by id, whose path the pruned layers below have. */
  readonly #hidden = new Set<number>();
  /** Paths of directories that were taken. */
  readonly #directories = new Set<number>();
  /** How many markers, or directories that only markers implied, were taken. */
  #idle = 0;

  constructor(changes: readonly Change[], { state, before, pruned }: LayerTrees, survivors: LayerSurvivors) {
    this.#changes = changes;
    this.#state = state;
    this.#before = before;
    this.#pruned = pruned;
    this.#survivors = survivors;
  }

  /** Whether anything was taken, so that the layer must be written again. */
  get any(): boolean {
    return this.#reasons.size > 0 || this.#idle > 0;
  }

  /** Tells whether a directory was taken: `express` must not imply it again. */
  tookDirectory(path: number): boolean {
    return this.#directories.has(path);
  }

  /** Takes the entries that rules name. Children go before parents, so that a directory goes after what is in it. */
  takeByRule(): void {
    const taken: { readonly change: Change; readonly rule: Rule }[] = [];
    for (const change of this.#changes) {
      const rule = this.#survivors.ruleFor(change);
      if (rule !== null) taken.push({ change, rule });
    }
    taken.sort((a, b) => b.change.path - a.change.path);
    for (const { change, rule } of taken) {
      this.#reasons.set(change.id, { kind: 'rule', rule });
      if (this.#state.at(change.path)?.id === change.id) this.#takeNode(change);
    }
  }

  /** Takes what the layer has at a path. A whiteout hides what the pruned layers below have there. */
  #takeNode({ id, kind, path }: Change): void {
    const state = this.#state;
    if (kind === 'directory') {
      // Only implied directories and markers are left in it, since children are taken first.
      if (state.hasBelow(path)) this.#forgetBelow(path);
      this.#directories.add(path);
    }
    state.forget(path);
    if (this.#pruned.node[path] === 0) return;
    state.hide(path);
    this.#hidden.add(id);
  }

  #forgetBelow(path: number): void {
    const end = this.#state.table.end[path] as number;
    for (let at = path + 1; at < end; at++) {
      this.#state.forget(at);
      this.#directories.add(at);
    }
  }

  /**
   * Takes the directories that a rule names but that have no entry, where nothing lies in them any more: those that only what
   * went from this layer implied, and those that only a marker implies, where the pruned layers below do not have them.
   * Returns their paths.
   */
  takeImplied(): readonly number[] {
    const state = this.#state;
    const emptied = this.#ancestorsOfTaken();
    const taken: number[] = [];
    for (let path = state.node.length - 1; path > 0; path--) {
      if (!state.isImplied(path) || state.hasBelow(path) || !this.#survivors.takesImplied(path)) continue;
      const isAlone = this.#pruned.node[path] === 0;
      if (!isAlone && (!emptied.has(path) || state.hidesChildrenAt(path))) continue;
      // The directory had taken the place of something else, which must not come back.
      if (!isAlone && !this.#pruned.isDirectory(path)) state.hide(path);
      else state.forget(path);
      this.#directories.add(path);
      taken.push(path);
      if (!emptied.has(path)) this.#idle++;
    }
    return taken;
  }

  /** Returns the directories, but the root, above all entries taken so far. */
  #ancestorsOfTaken(): ReadonlySet<number> {
    const { parent } = this.#state.table;
    const found = new Set<number>();
    for (const { id, path } of this.#changes) {
      if (!this.#reasons.has(id)) continue;
      for (
        let above = parent[path] as number;
        above > 0 && !found.has(above);
        above = parent[above] as number
      )
        found.add(above);
    }
    return found;
  }

  /** Takes what is not visible in the whole image. */
  takeShadowed(): void {
    this.#takeReplaced();
    const state = this.#state;
    for (let path = state.node.length - 1; path > 0; path--) {
      const change = state.at(path);
      if (change === null) this.#forgetIdleDirectory(path);
      else if (!this.#survivors.isVisible(path, state.node[path] as number)) this.#takeInvisible(change);
    }
  }

  /** Takes entries that a later entry of the same layer replaced. */
  #takeReplaced(): void {
    for (const change of this.#changes) {
      if (isMarker(change) || this.#reasons.has(change.id)) continue;
      if (this.#state.at(change.path)?.id !== change.id) this.#reasons.set(change.id, { kind: 'shadowed' });
    }
  }

  /** Forgets an implied directory that nothing lies in and that the whole image does not have from this layer. */
  #forgetIdleDirectory(path: number): void {
    const state = this.#state;
    const isIdle = state.isImplied(path) && !state.hidesChildrenAt(path) && !state.hasBelow(path);
    if (isIdle && !this.#survivors.isWanted(path)) state.forget(path);
  }

  #takeInvisible(change: Change): void {
    const { id, kind, path } = change;
    const state = this.#state;
    if (this.#survivors.isForced(change)) return;
    if (kind === 'directory') {
      if (state.hasBelow(path)) return;
      if (state.hidesAt(path)) state.hide(path);
      else if (state.hidesChildrenAt(path)) state.makeImplied(path);
      else state.forget(path);
    } else {
      // A visible hard link may name the data of an invisible entry, which then goes on carrying it.
      if (kind !== 'link' && this.#survivors.isVisibleFile(state.file[path] as number)) return;
      if (this.#survivors.gaveWay(change) && this.#pruned.node[path] !== 0) state.hide(path);
      else state.forget(path);
    }
    this.#reasons.set(id, { kind: 'shadowed' });
  }

  /** Takes whiteouts and opaque markers that used to hide something and no longer do. */
  takeIdleMarkers(): void {
    for (const change of this.#changes) {
      if (!isMarker(change) || !this.#isIdle(change)) continue;
      this.#idle++;
      this.#reasons.set(change.id, { kind: 'idle' });
    }
  }

  /** Tells whether a marker hid something before the pruning of lower layers, and hides nothing now. */
  #isIdle({ kind, path }: Change): boolean {
    const [before, pruned] = [this.#before, this.#pruned];
    return kind === 'whiteout'
      ? before.node[path] !== 0 && pruned.node[path] === 0
      : before.hasBelow(path) && !pruned.hasBelow(path);
  }

  /** Returns the entries of this layer that the changes to be written do not hold. */
  removals(written: readonly Change[]): readonly Removal[] {
    const kept = idsOf(written);
    const relinked = new EntrySet();
    for (const { form, layer, entry } of written) if (form === 'relinked') relinked.add(layer, entry);
    const removals: Removal[] = [];
    for (const change of this.#changes) {
      if (kept[change.id] === 1 || relinked.has(change.layer, change.entry)) continue;
      const idle = isMarker(change) ? ({ kind: 'idle' } as const) : null;
      const reason = this.#reasons.get(change.id) ?? idle;
      // Without a reason it is a promoted link, whose name lives on with the data of another.
      if (reason !== null)
        removals.push({ change, reason, how: this.#hidden.has(change.id) ? 'hidden' : 'freed' });
    }
    return removals;
  }
}

/** Returns a byte for each change up to the last of these: 1 for one of them. */
function idsOf(changes: readonly Change[]): Uint8Array {
  const ids = new Uint8Array(changes.reduce((most, { id }) => Math.max(most, id), 0) + 1);
  for (const { id } of changes) ids[id] = 1;
  return ids;
}
