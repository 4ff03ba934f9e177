/**
 * Keeps a profile small: where a directory has many rules, one pattern stands for all of its files. The parser takes time and memory that
 * grow with the number of rules, and the kernel limits the size of what it makes of them.
 */
import { sortSteps, type Steps } from '../../steps.ts';
import { type FileRule, patternOf } from './file-rule.ts';

/** A directory with more files than this that need the same rights gets one rule for all of its files. */
const filesPerDirectory = 64;
/** The most rules for files in a profile. Beyond them, smaller directories are grouped too, and then whole subtrees. */
export const mostFileRules = 2000;

/** Numbers of files from which on a directory is grouped, one after the other until the rules are few enough. */
const thresholds = [filesPerDirectory, 16, 4, 1];

/** Returns the rules, sorted by their patterns; grouped where there are too many. No path loses a right. */
export function* groupRules(rules: readonly FileRule[]): Steps<readonly FileRule[]> {
  let grouped = rules;
  for (const threshold of thresholds) {
    grouped = yield* groupDirectories(grouped, threshold);
    if (grouped.length <= mostFileRules) break;
  }
  const deepest = grouped.reduce((most, { parts }) => Math.max(most, parts.length), 0);
  for (let depth = deepest - 1; depth >= 0 && grouped.length > mostFileRules; depth--)
    grouped = yield* mergeRules(
      grouped.map((rule) =>
        rule.parts.length <= depth
          ? rule
          : { ...rule, parts: [...rule.parts.slice(0, depth), '**'], ending: '' },
      ),
      sameRights,
    );
  const merged = yield* mergeRules(grouped, patternOf);
  const byPattern = new Map(merged.map((rule) => [patternOf(rule), rule]));
  return (yield* sortSteps(byPattern.keys())).map((pattern) => byPattern.get(pattern) as FileRule);
}

/** Tells rules apart by their rights too, so that those to write in a subtree do not join those to read in it. */
function sameRights(rule: FileRule): string {
  return `${rule.rights} ${patternOf(rule)}`;
}

/** Unites rules with one key: their rights together. */
export function* mergeRules(
  rules: readonly FileRule[],
  keyOf: (rule: FileRule) => string,
): Steps<readonly FileRule[]> {
  const merged = new Map<string, FileRule>();
  for (const [i, rule] of rules.entries()) {
    if (i % 1000 === 999) yield;
    const key = keyOf(rule);
    const known = merged.get(key);
    merged.set(key, known === undefined ? rule : { ...known, rights: known.rights | rule.rights });
  }
  return [...merged.values()];
}

/** Returns whether `*` may stand for the last name of a rule: not for one that stands for names in several directories. */
function mayGroup({ parts }: FileRule): boolean {
  const last = parts.at(-1);
  return last !== undefined && last !== '**' && !last.includes('/');
}

/** Replaces the rules of each directory of which more than `threshold` have the same rights. */
function* groupDirectories(rules: readonly FileRule[], threshold: number): Steps<readonly FileRule[]> {
  const counts = new Map<string, number>();
  const keyOf = (rule: FileRule): string =>
    `${rule.rights} ${rule.ending} ${patternOf({ parts: rule.parts.slice(0, -1), ending: '/' })}`;
  for (const [i, rule] of rules.entries()) {
    if (i % 1000 === 999) yield;
    const key = keyOf(rule);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const grouped = rules.map((rule) =>
    mayGroup(rule) && (counts.get(keyOf(rule)) ?? 0) > threshold
      ? { ...rule, parts: [...rule.parts.slice(0, -1), '*'] }
      : rule,
  );
  return yield* mergeRules(grouped, sameRights);
}
