import { type Path } from '../../bytes/path.ts';
import type { Change } from '../../changeset/change.ts';
import { express, type Promotion } from '../../changeset/express.ts';
import { Filesystem } from '../../rootfs/filesystem.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { Stack } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import { OcislimError } from '../../errors.ts';
import type { Pruning } from '../../image/image.ts';
import { LayerPruning, type Removal } from './layer-pruning.ts';
import { type Kept, type Marking, markChanges, ruledKind, within } from './marking.ts';

export interface PrunedStack {
  /** The root filesystem before, */
  readonly fs: Filesystem;
  /** and after, cleared mode bits included. */
  readonly result: Filesystem;
  /** The layers that change, by source layer number. */
  readonly layers: ReadonlyMap<number, readonly Change[]>;
  /** The tree of the pruned image below each changed layer is needed again by a squash: all layers, changed or not. */
  readonly all: ReadonlyMap<number, readonly Change[]>;
  readonly removals: readonly Removal[];
  readonly promotions: readonly Promotion[];
  readonly marking: Marking;
  /** Entries that a rule named but that stay, since a layer that was not selected links to them. */
  readonly keptForLinks: readonly Change[];
}

/**
 * Prunes a whole stack, bottom to top, beside the original one. All layers must be there: what a layer hides, what
 * comes back from below and what is linked to from above all depend on the others.
 *
 * Rules apply to every entry of a selected layer, visible or not. What they remove never comes back from below.
 * `close` says what a pruning by trace keeps. `shadowed` drops entries that are not part of the final tree, except those whose data a visible link still names.
 */
export function pruneStack(
  stack: Stack,
  prunings: readonly Pruning[],
  indexes: ReadonlyMap<number, LayerIndex>,
  close: (pruning: Pruning, fs: Filesystem) => Kept | null = () => null,
): PrunedStack {
  const { list, table } = stack;
  const original = new Tree(table, list);
  const links = new LinkUse();
  const resolved = new Map<number, readonly Change[]>();
  const replacedByDirectory = new Set<number>();
  for (const [layer, changes] of stack.layers) {
    original.apply(changes, {
      onLink: (link, file) => {
        list.resolve(link, file);
        links.note(list.get(link.id), original.at(link.target));
      },
      onReplacedByDirectory: (id) => void replacedByDirectory.add(id),
    });
    resolved.set(
      layer,
      changes.map((change) => list.get(change.id)),
    );
  }
  const whole: Stack = { table, list, layers: resolved };
  const fs = new Filesystem(whole, original, indexes);
  const closures = prunings.flatMap((pruning) => close(pruning, fs) ?? []);
  const marking = markChanges(whole, prunings, indexes, original, closures);
  const selected = (layer: number) => prunings.some((pruning) => within(pruning.layers, layer));
  const shadowed = (layer: number) =>
    prunings.some((pruning) => pruning.shadowed && within(pruning.layers, layer));
  const needed = links.targetsOf((link, named) => !selected(link.layer) && selected(named.layer));
  const forced = new Set(needed.map((change) => change.id));
  const protectedPaths = protectAncestors(whole, marking, forced, selected);
  const visibleFiles = filesOf(original);
  const impliedGone = new Map<number, number>();

  const pruned = new Tree(table, list);
  const before = new Tree(table, list);
  const layers = new Map<number, readonly Change[]>();
  const all = new Map<number, readonly Change[]>();
  const removals: Removal[] = [];
  const promotions: Promotion[] = [];
  for (const [layer, changes] of resolved) {
    let result: readonly Change[] = changes;
    if (selected(layer)) {
      const state = new Tree(table, list, 'unknown');
      state.apply(changes);
      const gone = new LayerPruning(state, pruned, changes);
      const number = positionOf(resolved, layer);
      const isProtected = (path: number) => (protectedPaths[path] as number) > layer;
      const wanted = (path: number) => original.isDirectory(path) && original.touched[path] === number;
      gone.byRule(
        marking.removed,
        (change) => forced.has(change.id) || (change.kind === 'directory' && isProtected(change.path)),
      );
      const emptied = gone.impliedByRule(
        (path) => !isProtected(path) && marking.wish(table.paths[path] as Path, 'directory') !== null,
        before,
      );
      for (const path of emptied) impliedGone.set(path, layer);
      if (shadowed(layer)) {
        gone.byShadow(
          (path) => original.node[path] === state.node[path],
          (file) => visibleFiles[file] === 1,
          replacedByDirectory,
          forced,
          wanted,
        );
      }
      gone.idleMarkers(before);
      const cut = links.inLayer(layer).some((link) => pruned.file[link.target] !== link.file + 1);
      if (gone.any || cut || changes.some((change) => marking.cleared.has(change.id))) {
        const expression = express(state, list, {
          below: { kind: 'known', tree: pruned },
          own: new Set([layer]),
          wanted: (path) => !gone.tookDirectory(path) && wanted(path),
        });
        result = expression.changes;
        layers.set(layer, result);
        for (const removal of gone.removals(expression.changes)) removals.push(removal);
        for (const promotion of expression.promoted) promotions.push(promotion);
      }
    }
    before.apply(changes);
    pruned.apply(result);
    all.set(layer, result);
  }
  for (const [path, layer] of impliedGone) {
    const rule = marking.wish(table.paths[path] as Path, 'directory');
    if (rule === null || original.node[path] === 0 || pruned.node[path] !== 0) continue;
    // No layer has an entry for it, and still it is gone: the report is to say so.
    const change = list.create({ kind: 'directory', path, target: -1, layer, entry: -1, form: 'made' });
    removals.push({ change, reason: { kind: 'rule', rule }, how: 'freed' });
  }
  checkResult(original, pruned, removals);
  const modes = new Map([...marking.cleared].map(([id, { to }]) => [id, to] as const));
  return {
    fs,
    result: new Filesystem(whole, pruned, indexes, modes),
    layers,
    all,
    removals,
    promotions,
    marking,
    keptForLinks: needed.filter((change) => marking.removed.has(change.id)),
  };
}

/** Is a file (by number) part of a tree without ground? */
function filesOf({ file }: Tree): Uint8Array {
  const found = new Uint8Array(file.reduce((most, id) => Math.max(most, id), 0) + 1);
  for (const id of file) found[id] = 1;
  return found;
}

function positionOf(layers: ReadonlyMap<number, unknown>, layer: number): number {
  return [...layers.keys()].indexOf(layer) + 1;
}

/** Hard links into lower layers, with the change that each found at its target. */
class LinkUse {
  readonly #uses: { readonly link: Change; readonly named: Change }[] = [];

  note(link: Change, named: Change | null): void {
    if (named !== null && named.layer !== link.layer) this.#uses.push({ link, named });
  }

  /** What must stay because a link that cannot change names it. */
  targetsOf(chosen: (link: Change, named: Change) => boolean): Change[] {
    return [
      ...new Set(this.#uses.filter(({ link, named }) => chosen(link, named)).map(({ named }) => named)),
    ];
  }

  inLayer(layer: number): Change[] {
    return this.#uses.filter(({ link }) => link.layer === layer).map(({ link }) => link);
  }
}

/**
 * Directories that something kept lies in stay, whatever the rules say of them: per path, the highest layer that keeps
 * something below it, plus one (a directory of that layer or a lower one stays).
 */
function protectAncestors(
  stack: Stack,
  marking: Marking,
  forced: ReadonlySet<number>,
  selected: (layer: number) => boolean,
): Int32Array {
  const { table } = stack;
  const kept = new Int32Array(table.paths.length);
  const always = 0x7fffffff;
  for (const [layer, changes] of stack.layers) {
    for (const change of changes) {
      const marker = change.kind === 'whiteout' || change.kind === 'opaque';
      if (marker ? selected(layer) : marking.removed.has(change.id) && !forced.has(change.id)) continue;
      // What lies in an unselected layer and would have been removed protects only the directories below that layer.
      // A marker there implies the directory that it lies in.
      const wished =
        marker ||
        (!selected(layer) && marking.wish(table.paths[change.path] as Path, ruledKind(change)) !== null);
      const until = wished ? layer : always;
      const start = change.kind === 'opaque' ? change.path : (table.parent[change.path] as number);
      for (
        let above = start;
        above >= 0 && (kept[above] as number) < until;
        above = table.parent[above] as number
      ) {
        kept[above] = until;
      }
    }
  }
  return kept;
}

/**
 * Proof on the level of the index that nothing was lost: what is visible in the pruned image is what was visible
 * before, less what a rule took.
 */
function checkResult(original: Tree, pruned: Tree, removals: readonly Removal[]): void {
  const ruled = new Set<number>();
  for (const { change, reason } of removals) if (reason.kind === 'rule') ruled.add(change.path);
  for (let path = 0; path < original.node.length; path++) {
    const was = original.at(path);
    const is = pruned.at(path);
    const gone = original.node[path] !== 0 && pruned.node[path] === 0;
    if (gone ? coveredBy(ruled, path, original) : same(original, pruned, path, was, is)) continue;
    throw new OcislimError(
      'INTERNAL',
      `pruning would have changed ${JSON.stringify(original.table.paths[path])}, which no rule names`,
      {
        advice: 'Nothing was written. Please report this.',
      },
    );
  }
}

function coveredBy(ruled: ReadonlySet<number>, path: number, tree: Tree): boolean {
  for (let at = path; at >= 0; at = tree.table.parent[at] as number) if (ruled.has(at)) return true;
  return false;
}

function same(original: Tree, pruned: Tree, path: number, was: Change | null, is: Change | null): boolean {
  if (was?.kind === 'directory') return was.id === is?.id;
  if (original.isImplied(path)) return pruned.isImplied(path) || is?.form === 'made';
  return (
    original.file[path] === pruned.file[path] && (original.node[path] === 0) === (pruned.node[path] === 0)
  );
}
