import type { Change } from '../../changeset/change.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { Path } from '../../bytes/path.ts';
import type { Stack } from '../../changeset/stack.ts';
import type { Tree } from '../../changeset/tree.ts';
import type { LayerRange, Pruning } from '../../image/image.ts';
import type { Rule, RuledKind } from '../../rules/rule.ts';
import type { Strength } from '../../closure/rule.ts';
import { createKeepMatcher, createMatcher, type Matcher } from '../../rules/rules.ts';

/** What the rules say about the entries of a stack, before anything is known about what depends on them. */
export interface Marking {
  /** The rule that takes an entry out, by change id. */
  readonly removed: ReadonlyMap<number, Rule>;
  /** Rules whose globs matched nothing at all. */
  readonly unused: readonly Rule[];
  /** New permission bits by change id, with the old ones. */
  readonly cleared: ReadonlyMap<number, { readonly from: number; readonly to: number }>;
  /** The rule that takes a path out, had its layer been selected; null for none. */
  readonly wish: (path: Path, kind: RuledKind) => Rule | null;
}

/** What a trace pruning keeps: see `slim/closure`. */
export interface Kept {
  strengthOf(path: Path): Strength | null;
}

/** What any of several prunings by trace keeps, as strongly as any does: none takes what another needs. */
function keptByAny(closures: readonly Kept[]): Kept {
  const [only] = closures;
  if (only !== undefined && closures.length === 1) return only;
  return {
    strengthOf(path) {
      const found = closures.map((closure) => closure.strengthOf(path));
      return strengths.find((strength) => found.includes(strength)) ?? null;
    },
  };
}

const strengths: readonly Strength[] = ['needed', 'whole', 'courtesy'];

const setuidBits = 0o6000;

/**
 * Runs the rules of all prunings over the entries of the layers that each selects. `final` is the whole image's tree;
 * `closures`: what the prunings by trace keep.
 */
export function markChanges(
  stack: Stack,
  prunings: readonly Pruning[],
  indexes: ReadonlyMap<number, LayerIndex>,
  final: Tree,
  closures: readonly Kept[],
): Marking {
  const removed = new Map<number, Rule>();
  const verdicts: Verdict[] = [];
  const cleared = new Map<number, { from: number; to: number }>();
  const unused: Rule[] = [];
  const paths = stack.table.paths;
  const kept = keptByAny(closures);
  const exists = (path: Path) => {
    const id = stack.table.findId(path);
    return id !== null && final.node[id] !== 0;
  };
  for (const pruning of prunings) {
    const match = createMatcher(pruning.rules, exists);
    const verdict = createVerdict(pruning, match, kept);
    verdicts.push(verdict);
    const clears = createKeepMatcher(pruning.clearSetuid);
    for (const [layer, changes] of stack.layers) {
      if (!within(pruning.layers, layer)) continue;
      for (const change of changes) {
        if (change.kind === 'whiteout' || change.kind === 'opaque') continue;
        const path = paths[change.path] as Path;
        const rule = verdict(path, ruledKind(change));
        if (rule !== null) removed.set(change.id, rule);
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
  return {
    removed,
    unused,
    cleared,
    wish: (path, kind) => {
      for (const verdict of verdicts) {
        const rule = verdict(path, kind);
        if (rule !== null) return rule;
      }
      return null;
    },
  };
}

/** The rule that takes a path out, had its layer been selected, or null. */
type Verdict = (path: Path, kind: RuledKind) => Rule | null;

/**
 * What is needed stays whatever a rule says; a rule wins over what a trace pruning keeps for other reasons; what nothing
 * keeps goes where there is a trace.
 */
function createVerdict(pruning: Pruning, match: Matcher, closure: Kept): Verdict {
  const keep = createKeepMatcher(pruning.keep);
  const unused = pruning.trace === null ? null : unusedRule(pruning.trace.trace.name);
  return (path, kind) => {
    const strength = closure.strengthOf(path);
    if (strength === 'needed') return null;
    const rule = pruning.rules.length > 0 ? match(path, kind) : null;
    const taken = rule ?? (strength === null ? unused : null);
    return taken !== null && keep(path) === null ? taken : null;
  };
}

/** Stands for the absence of a path from traces, and from all that these need. */
function unusedRule(trace: string): Rule {
  return { text: 'unused', origin: `--trace ${trace}`, negated: false };
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
