/**
 * Runs the rules over the entries of a stack. `pruneSteps` calls it before it takes anything out; `survivors.ts` then says which of the
 * marked entries must stay.
 */
import type { Change } from '../../changeset/change.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { Path } from '../../bytes/path.ts';
import type { Stack } from '../../changeset/stack.ts';
import type { Tree } from '../../changeset/tree.ts';
import type { LayerRange, Pruning } from '../../image/image.ts';
import type { Rule, RuledKind } from '../../rules/rule.ts';
import type { Strength } from '../../closure/rule.ts';
import { createKeepMatcher, keepMatcherSteps, type Matcher, matcherSteps } from '../../rules/rules.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';

/** The verdicts of the rules on the entries of a stack, before anything is known about what depends on these. */
export interface Marking {
  /** The rule that takes an entry, by change id. */
  readonly removed: ReadonlyMap<number, Rule>;
  /** The rules whose globs matched nothing. */
  readonly unused: readonly Rule[];
  /** By change id. */
  readonly cleared: ReadonlyMap<number, ClearedMode>;
  /** Returns the rule that takes a path, as if its layer had been selected; null for none. */
  readonly wish: (path: Path, kind: RuledKind) => Rule | null;
}

/** Permission bits of a file whose setuid and setgid bits are cleared: as they were, and as they become. */
export interface ClearedMode {
  readonly from: number;
  readonly to: number;
}

/** The paths that a pruning by trace keeps. The room `closure` computes them. */
export interface Kept {
  strengthOf(path: Path): Strength | null;
}

/** Returns what any of several prunings by trace keeps, as strongly as any of them does: none takes what another needs. */
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

/** From the strongest to the weakest. */
const strengths: readonly Strength[] = ['needed', 'whole', 'courtesy'];

/** S_ISUID and S_ISGID (POSIX.1-2017, sys/stat.h). */
const setuidBits = 0o6000;

/** All that markings depend on. */
export interface MarkingInput {
  readonly stack: Stack;
  /** The tree of the whole image. */
  readonly final: Tree;
  readonly prunings: readonly Pruning[];
  /** By source layer number. */
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  /** What the prunings by trace keep. */
  readonly closures: readonly Kept[];
  /** Files that go with the packages that they are about, where a pruning syncs package databases. Default: none. */
  readonly gone?: ReadonlySet<Path>;
}

/** Runs the rules of all prunings over the entries of the layers that each selects. @throws RULES_INVALID */
export function* markSteps(input: MarkingInput): Steps<Marking> {
  const { stack, final, prunings, indexes, closures, gone = new Set() } = input;
  const removed = new Map<number, Rule>();
  const cleared = new Map<number, ClearedMode>();
  const unused: Rule[] = [];
  const verdicts: Verdict[] = [];
  const kept = keptByAny(closures);
  const exists = (path: Path) => {
    const id = stack.table.findId(path);
    return id !== null && final.node[id] !== 0;
  };
  for (const pruning of prunings) {
    const match = yield* matcherSteps(pruning.rules, exists);
    const verdict = yield* verdictSteps(pruning, match, {
      kept,
      gone: pruning.packageDb === 'sync' ? gone : new Set(),
    });
    const clears = createClearing(pruning, indexes);
    verdicts.push(verdict);
    let seen = 0;
    for (const { change, path } of entriesIn(stack, pruning.layers)) {
      if (++seen % itemsPerStep === 0) yield;
      const rule = verdict(path, ruledKind(change));
      if (rule !== null) removed.set(change.id, rule);
      const mode = clears(change, path);
      if (mode !== null) cleared.set(change.id, mode);
    }
    for (const rule of match.unused()) if (!rule.negated) unused.push(rule);
  }
  const wish: Verdict = (path, kind) => {
    for (const verdict of verdicts) {
      const rule = verdict(path, kind);
      if (rule !== null) return rule;
    }
    return null;
  };
  return { removed, unused, cleared, wish };
}

/** Yields the entries of some layers that put something, which markers do not. */
function* entriesIn(
  { table, layers }: Stack,
  range: LayerRange,
): Generator<{ readonly change: Change; readonly path: Path }> {
  for (const [layer, changes] of layers) {
    if (!within(range, layer)) continue;
    for (const change of changes)
      if (change.kind !== 'whiteout' && change.kind !== 'opaque')
        yield { change, path: table.paths[change.path] as Path };
  }
}

/** Returns what clears the setuid and setgid bits of a file: null for an entry whose mode stays. */
function createClearing(
  { clearSetuid }: Pruning,
  indexes: ReadonlyMap<number, LayerIndex>,
): (change: Change, path: Path) => ClearedMode | null {
  if (clearSetuid.length === 0) return () => null;
  const matches = createKeepMatcher(clearSetuid);
  return ({ kind, layer, entry }, path) => {
    if ((kind !== 'file' && kind !== 'link') || matches(path) === null) return null;
    const from = (indexes.get(layer) as LayerIndex).modes[entry] as number;
    return (from & setuidBits) === 0 ? null : { from, to: from & ~setuidBits };
  };
}

/** Returns the rule that takes a path, as if its layer had been selected, or null. */
type Verdict = (path: Path, kind: RuledKind) => Rule | null;

/**
 * Combines the rules of a pruning with what traces keep. What is needed stays, whatever a rule says; a rule wins over what a
 * trace keeps for other reasons; what no trace keeps goes, if the pruning has a trace.
 */
function* verdictSteps(
  pruning: Pruning,
  match: Matcher,
  { kept: closure, gone }: { readonly kept: Kept; readonly gone: ReadonlySet<Path> },
): Steps<Verdict> {
  const keep = yield* keepMatcherSteps(pruning.keep);
  const unused = pruning.trace === null ? null : unusedRule(pruning.trace.trace.name);
  return (path, kind) => {
    const strength = closure.strengthOf(path);
    if (strength === 'needed') return null;
    const rule = pruning.rules.length > 0 ? match(path, kind) : null;
    const taken = rule ?? (strength === null ? unused : null) ?? (gone.has(path) ? packageDbRule : null);
    return taken !== null && keep(path) === null ? taken : null;
  };
}

/** Takes the files of package databases that are about a package without files. */
const packageDbRule: Rule = { text: 'package-db', origin: '--package-db sync', negated: false };

/** Stands for the absence of a path from traces, and from all that these need. */
function unusedRule(trace: string): Rule {
  return { text: 'unused', origin: `--trace ${trace}`, negated: false };
}

export function within(range: LayerRange, layer: number): boolean {
  return layer >= range.from && layer <= range.to;
}

/** Returns the kind by which rules select an entry. A hard link counts as the file that it names. */
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
