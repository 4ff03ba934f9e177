/**
 * Rules that name paths by globs, in the language of `.dockerignore`. This room reads rules and matches paths against them; it does not
 * know what is done with a path that matches.
 */
import { type Path } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import type { Rule, RuledKind } from './rule.ts';
import { type ByteString, utf8Bytes } from '../bytes/bytes.ts';
import { witnesses } from './condition.ts';
import { parsePattern, type Pattern } from './pattern.ts';
import { atOnce, itemsPerStep, type Steps } from '../steps.ts';
import { patternSetSteps } from './pattern-set.ts';

/**
 * Returns the rule that removes an entry, or null. The root itself is never removed.
 */
export interface Matcher {
  (path: Path, kind: RuledKind): Rule | null;
  /** Returns the rules, `!` ones too, whose globs have matched no path so far, and no ancestor of one. */
  unused(): readonly Rule[];
}

/**
 * Reads one rule of the command line or a plan (no comments there).
 * @throws RULES_INVALID naming `origin`.
 */
export function parseRule(text: string, origin: string): Rule {
  const rule = readRule(trim(text), origin);
  if (rule === null) throw new OcislimError('RULES_INVALID', `${origin}: the rule is empty`);
  return rule;
}

/**
 * Reads a rule file: one rule a line, `#` at the start of a line for comments, blank lines ignored.
 * @param file the name for messages.
 * @throws RULES_INVALID naming file and line.
 */
export function parseRules(text: string, file: string): Rule[] {
  return atOnce(ruleSteps(text, file));
}

/** Reads a rule file in steps. @throws RULES_INVALID */
export function* ruleSteps(text: string, file: string): Steps<Rule[]> {
  const rules: Rule[] = [];
  let seen = 0;
  for (const { line, number } of linesOf(text)) {
    if (++seen % itemsPerStep === 0) yield;
    const rule = readRule(trim(line), `${file}:${number}`);
    if (rule !== null) rules.push(rule);
  }
  return rules;
}

/** Counts the rules of a file, without a look at what they say. */
export function* countSteps(text: string): Steps<number> {
  let count = 0;
  let seen = 0;
  for (const { line } of linesOf(text)) {
    if (++seen % itemsPerStep === 0) yield;
    if (/[^ \t\r\v\f]/.test(line)) count++;
  }
  return count;
}

/** Yields the lines of a rule file that are neither empty nor comments, numbered from 1. */
function* linesOf(text: string): Generator<{ readonly line: string; readonly number: number }> {
  let number = 0;
  for (let start = text.startsWith('\uFEFF') ? 1 : 0; start <= text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    number++;
    if (end > start && text[start] !== '#') yield { line: text.slice(start, end), number };
    start = end + 1;
  }
}

function readRule(text: string, origin: string): Rule | null {
  if (text === '') return null;
  const negated = text.startsWith('!');
  const rule: Rule = { text, origin, negated };
  if (glob(rule) === '') throw new OcislimError('RULES_INVALID', `${origin}: a lone "!" takes back nothing`);
  parsePattern(glob(rule), origin);
  return rule;
}

/** Spaces go at both ends, but not one that a backslash escapes. */
function trim(text: string): string {
  const left = text.replace(/^[ \t\r\n\v\f]+/, '');
  let end = left.length;
  while (end > 0 && ' \t\r\n\v\f'.includes(left[end - 1] as string)) end--;
  let backslashes = 0;
  while (left[end - 1 - backslashes] === '\\') backslashes++;
  return left.slice(0, backslashes % 2 === 1 && end < left.length ? end + 1 : end);
}

function glob(rule: Rule): string {
  return rule.negated ? trim(rule.text.slice(1)) : rule.text;
}

/** Yields pattern after pattern: together, those of a long file would fill the memory. */
function* patternsOf(rules: readonly Rule[]): Generator<Pattern> {
  for (const rule of rules) yield parsePattern(glob(rule), rule.origin);
}

/** What the rules that match one spot of a path amount to, whatever the entry's kind and the rest of its path. */
interface Verdict {
  readonly indices: readonly number[];
  /** The last rule that decides alone; what comes before it no longer matters. -1: none. */
  readonly final: number;
  /** Rules after it: those with a group, a kind or a condition. */
  readonly open: readonly number[];
}

/**
 * Compiles rules: the last one that matches the path or an ancestor of it wins (as in Docker, the ancestors are
 * matched again for each path, so `!a/b` takes back from `a`).
 * @param exists says what is in the merged root file system, for rules with `needs`. Without it they remove nothing.
 * @throws RULES_INVALID when a rule was not made by the parsers above.
 */
export function createMatcher(rules: readonly Rule[], exists?: (path: Path) => boolean): Matcher {
  return atOnce(matcherSteps(rules, exists));
}

/** Compiles rules in steps. @throws RULES_INVALID */
export function* matcherSteps(
  rules: readonly Rule[],
  exists: (path: Path) => boolean = () => false,
): Steps<Matcher> {
  const alone = rules.map(
    ({ group, only, needs }) => group === undefined && only === undefined && needs === undefined,
  );
  const patterns = yield* patternSetSteps<Verdict>(patternsOf(rules), (indices) => {
    const final = indices.findLast((index) => alone[index]) ?? -1;
    return { indices, final, open: indices.filter((index) => index > final) };
  });
  const noted = new WeakSet<Verdict>();
  const matched = new Set<number>();
  const note = (verdict: Verdict): void => {
    noted.add(verdict);
    for (const index of verdict.indices) matched.add(index);
  };
  const applies = ({ only, needs }: Rule, path: Path, kind: RuledKind): boolean =>
    (only === undefined || only === kind) && (needs === undefined || witnesses(needs, path).some(exists));

  const match = (path: Path, kind: RuledKind): Rule | null => {
    if (path === '') return null;
    let final = -1;
    let open: number[] | undefined;
    patterns.visit(path, (verdict, own) => {
      if (!noted.has(verdict)) note(verdict);
      if (verdict.final > final) final = verdict.final;
      for (const index of verdict.open) {
        const rule = rules[index] as Rule;
        if (own || (rule.only === undefined && rule.needs === undefined)) (open ??= []).push(index);
      }
    });
    const cancelled = new Set<string>();
    for (const index of open?.sort((a, b) => b - a) ?? []) {
      if (index < final) break;
      const rule = rules[index] as Rule;
      if ((rule.group !== undefined && cancelled.has(rule.group)) || !applies(rule, path, kind)) continue;
      if (!rule.negated) return rule;
      if (rule.group === undefined) return null;
      cancelled.add(rule.group);
    }
    const last = rules[final];
    return last === undefined || last.negated ? null : last;
  };
  return Object.assign(match, { unused: () => rules.filter((_, index) => !matched.has(index)) });
}

/**
 * Returns what finds the keep rule for a path, or null. The language is that of rules, so that `!` makes an exception to what is kept.
 * @throws RULES_INVALID
 */
export function createKeepMatcher(globs: readonly (string | Rule)[]): (path: Path) => Rule | null {
  return atOnce(keepMatcherSteps(globs));
}

/** Compiles keep rules in steps. @throws RULES_INVALID */
export function* keepMatcherSteps(globs: readonly (string | Rule)[]): Steps<(path: Path) => Rule | null> {
  const rules: Rule[] = [];
  for (const glob of globs) {
    rules.push(typeof glob === 'string' ? parseRule(glob, '--keep') : glob);
    if (rules.length % itemsPerStep === 0) yield;
  }
  const match = yield* matcherSteps(rules);
  return (path) => match(path, 'file');
}

/**
 * Returns the path that a glob without wildcards names, or null: it may lead through symlinks of the image (`bin/sh`, where `bin`
 * is one), which globs do not follow.
 */
export function literalPath(glob: string): ByteString | null {
  const text = trim(glob);
  if (text === '' || text.startsWith('!') || /[*?[]|\\$/.test(text.replace(/\\[^]/gu, ''))) return null;
  return utf8Bytes(text.replace(/\\([^])/gu, '$1')).replace(/^\/+/, '');
}
