import type { Change } from '../changeset/change.ts';
import type { LayerIndex } from '../changeset/layer-index.ts';
import type { Stack } from '../changeset/stack.ts';
import type { Tree } from '../changeset/tree.ts';
import type { LayerRange, Pruning } from '../image/image.ts';
import type { Rule, RuledKind } from '../image/rule.ts';
import { createKeepMatcher, createMatcher } from './rules.ts';

/** What the rules say about the entries of a stack, before anything is known about what depends on them. */
export interface Marking {
  /** The rule that takes an entry out, by change id. */
  readonly removed: ReadonlyMap<number, Rule>;
  /** Rules whose globs matched nothing at all. */
  readonly unused: readonly Rule[];
  /** New permission bits by change id, with the old ones. */
  readonly cleared: ReadonlyMap<number, { readonly from: number; readonly to: number }>;
}

const setuidBits = 0o6000;

/** Runs the rules of all prunings over the entries of the layers that each selects. `final` is the whole image's tree. */
export function markChanges(
  stack: Stack,
  prunings: readonly Pruning[],
  indexes: ReadonlyMap<number, LayerIndex>,
  final: Tree,
): Marking {
  const removed = new Map<number, Rule>();
  const cleared = new Map<number, { from: number; to: number }>();
  const unused: Rule[] = [];
  const paths = stack.table.paths;
  const exists = (path: string) => {
    const id = stack.table.findId(path);
    return id !== null && final.node[id] !== 0;
  };
  for (const pruning of prunings) {
    const match = createMatcher(pruning.rules, exists);
    const keep = createKeepMatcher(pruning.keep);
    const clears = createKeepMatcher(pruning.clearSetuid);
    for (const [layer, changes] of stack.layers) {
      if (!within(pruning.layers, layer)) continue;
      for (const change of changes) {
        if (change.kind === 'whiteout' || change.kind === 'opaque') continue;
        const path = paths[change.path] as string;
        const rule = pruning.rules.length > 0 ? match(path, ruledKind(change)) : null;
        if (rule !== null && keep(path) === null) removed.set(change.id, rule);
        if (
          pruning.clearSetuid.length > 0 &&
          (change.kind === 'file' || change.kind === 'link') &&
          clears(path) !== null
        ) {
          const mode = (indexes.get(layer) as LayerIndex).modes[change.entry] as number;
          if ((mode & setuidBits) !== 0) cleared.set(change.id, { from: mode, to: mode & ~setuidBits });
        }
      }
    }
    unused.push(...match.unused().filter((rule) => !rule.negated));
  }
  return { removed, unused, cleared };
}

/** Would the rules take this path, had its layer been selected? */
export function createWish(prunings: readonly Pruning[]): (path: string, kind: RuledKind) => boolean {
  const pairs = prunings.map((pruning) => ({
    match: createMatcher(pruning.rules),
    keep: createKeepMatcher(pruning.keep),
  }));
  return (path, kind) => pairs.some(({ match, keep }) => match(path, kind) !== null && keep(path) === null);
}

export function within(range: LayerRange, layer: number): boolean {
  return layer >= range.from && layer <= range.to;
}

export function ruledKind(change: Change): RuledKind {
  switch (change.kind) {
    case 'directory':
      return 'directory';
    case 'symlink':
      return 'symlink';
    case 'file':
    case 'link':
      return 'file';
    case 'char':
    case 'block':
    case 'fifo':
    case 'whiteout':
    case 'opaque':
      return 'other';
  }
}
