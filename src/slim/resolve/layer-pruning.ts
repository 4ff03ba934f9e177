import type { Change } from '../../changeset/change.ts';
import { EntrySet } from '../../changeset/entry-set.ts';
import type { Tree } from '../../changeset/tree.ts';
import type { Rule } from '../../rules/rule.ts';

/** Why an entry is gone. */
export type Reason =
  | { readonly kind: 'rule'; readonly rule: Rule }
  /** A layer above hides it, or a later entry of its own layer replaces it. */
  | { readonly kind: 'shadowed' }
  /** A whiteout with nothing left to hide. */
  | { readonly kind: 'idle' }
  /** Another layer of a squashed range replaced it, or it was a whiteout that has done its work there. */
  | { readonly kind: 'squashed' };

export interface Removal {
  readonly change: Change;
  readonly reason: Reason;
  /** `hidden`: a layer that was not selected carries the path too, so that a whiteout had to take its place. */
  readonly how: 'freed' | 'hidden';
}

/** The pruning of one layer: its state, what the pruned image has below it, and what goes. */
export class LayerPruning {
  readonly #state: Tree;
  readonly #below: Tree;
  readonly #changes: readonly Change[];
  readonly #reasons = new Map<number, Reason>();
  readonly #hidden = new Set<number>();
  readonly #directories = new Set<number>();
  #idle = 0;

  constructor(state: Tree, below: Tree, changes: readonly Change[]) {
    this.#state = state;
    this.#below = below;
    this.#changes = changes;
  }

  get any(): boolean {
    return this.#reasons.size > 0 || this.#idle > 0;
  }

  tookDirectory(path: number): boolean {
    return this.#directories.has(path);
  }

  byRule(removed: ReadonlyMap<number, Rule>, spared: (change: Change) => boolean): void {
    const state = this.#state;
    // Children before parents: a directory goes after what is in it.
    for (const change of this.#changes.filter(({ id }) => removed.has(id)).sort((a, b) => b.path - a.path)) {
      const rule = removed.get(change.id) as Rule;
      if (spared(change)) continue;
      this.#reasons.set(change.id, { kind: 'rule', rule });
      const { path } = change;
      if (state.at(path)?.id !== change.id) continue;
      if (change.kind === 'directory') {
        if (state.hasBelow(path)) {
          // Only implied directories and markers of what is gone can be left in it.
          this.#forgetBelow(path);
        }
        this.#directories.add(path);
      }
      state.forget(path);
      if (this.#below.node[path] !== 0) {
        state.hide(path);
        this.#hidden.add(change.id);
      }
    }
  }

  #forgetBelow(path: number): void {
    const end = this.#state.table.end[path] as number;
    for (let at = path + 1; at < end; at++) {
      this.#state.forget(at);
      this.#directories.add(at);
    }
  }

  /**
   * Directories that a rule names but that have no entry go when nothing lies in them any more: implied by what went
   * from this layer, or by nothing but a marker in a directory that the layers below do not have, or no longer.
   */
  impliedByRule(named: (path: number) => boolean, originalBelow: Tree): number[] {
    const state = this.#state;
    const touched = new Set<number>();
    for (const change of this.#changes) {
      if (!this.#reasons.has(change.id)) continue;
      for (
        let above = state.table.parent[change.path] as number;
        above > 0 && !touched.has(above);
        above = state.table.parent[above] as number
      )
        touched.add(above);
    }
    const emptied: number[] = [];
    for (let path = state.node.length - 1; path > 0; path--) {
      if (!state.isImplied(path) || state.hasBelow(path) || !named(path)) continue;
      const isLeft = this.#lostBelow(path, originalBelow);
      const isAlone = this.#below.node[path] === 0;
      if (!isLeft && !isAlone && !(touched.has(path) && !state.hidesChildrenAt(path))) continue;
      // The directory had taken the place of something else, which must not come back.
      if (this.#below.node[path] !== 0 && !this.#below.isDirectory(path)) state.hide(path);
      else state.forget(path);
      this.#directories.add(path);
      emptied.push(path);
      if (!touched.has(path)) this.#idle++;
    }
    return emptied;
  }

  /** Has the path, or a directory above it, gone from the layers below? */
  #lostBelow(path: number, originalBelow: Tree): boolean {
    if (this.#below.node[path] !== 0) return false;
    for (let at = path; at > 0 && this.#below.node[at] === 0; at = this.#state.table.parent[at] as number) {
      if (originalBelow.node[at] !== 0) return true;
    }
    return false;
  }

  byShadow(
    isVisible: (path: number) => boolean,
    isVisibleFile: (file: number) => boolean,
    replacedByDirectory: ReadonlySet<number>,
    forced: ReadonlySet<number>,
    wanted: (path: number) => boolean,
  ): void {
    const state = this.#state;
    // Entries that a later entry of the same layer replaced.
    for (const change of this.#changes) {
      if (change.kind === 'whiteout' || change.kind === 'opaque' || this.#reasons.has(change.id)) continue;
      if (state.at(change.path)?.id !== change.id) this.#reasons.set(change.id, { kind: 'shadowed' });
    }
    for (let path = state.node.length - 1; path > 0; path--) {
      const change = state.at(path);
      if (state.isImplied(path) && !state.hidesChildrenAt(path) && !state.hasBelow(path) && !wanted(path))
        state.forget(path);
      if (change === null || isVisible(path) || forced.has(change.id)) continue;
      if (change.kind === 'directory') {
        if (state.hasBelow(path)) continue;
        this.#reasons.set(change.id, { kind: 'shadowed' });
        if (state.hidesAt(path)) state.hide(path);
        else if (state.hidesChildrenAt(path)) state.makeImplied(path);
        else state.forget(path);
        continue;
      }
      // A name that nobody sees, but whose data a visible link names, goes on carrying it.
      if (change.kind !== 'link' && isVisibleFile(state.file[path] as number)) continue;
      this.#reasons.set(change.id, { kind: 'shadowed' });
      if (replacedByDirectory.has(change.id) && this.#below.node[path] !== 0) state.hide(path);
      else state.forget(path);
    }
  }

  /** Whiteouts and opaque markers that used to hide something and no longer do. */
  idleMarkers(originalBelow: Tree): void {
    for (const change of this.#changes) {
      const { kind, path } = change;
      const idle =
        kind === 'whiteout'
          ? originalBelow.node[path] !== 0 && this.#below.node[path] === 0
          : kind === 'opaque' && originalBelow.hasBelow(path) && !this.#below.hasBelow(path);
      if (!idle) continue;
      this.#idle++;
      this.#reasons.set(change.id, { kind: 'idle' });
    }
  }

  /** What really went: entries of this layer that the new changes do not hold. */
  removals(result: readonly Change[]): Removal[] {
    const kept = idsOf(result);
    const renamed = new EntrySet();
    for (const { form, layer, entry } of result) if (form === 'relinked') renamed.add(layer, entry);
    const removals: Removal[] = [];
    for (const change of this.#changes) {
      if (kept[change.id] === 1 || renamed.has(change.layer, change.entry)) continue;
      const marker = change.kind === 'whiteout' || change.kind === 'opaque';
      const reason = this.#reasons.get(change.id) ?? (marker ? ({ kind: 'idle' } as const) : null);
      // A promoted link is no removal: its name lives on with the data of another.
      if (reason === null) continue;
      removals.push({ change, reason, how: this.#hidden.has(change.id) ? 'hidden' : 'freed' });
    }
    return removals;
  }
}

/** A byte for each change up to the last of these. */
function idsOf(changes: readonly Change[]): Uint8Array {
  const ids = new Uint8Array(changes.reduce((most, { id }) => Math.max(most, id), 0) + 1);
  for (const { id } of changes) ids[id] = 1;
  return ids;
}
