/** Reads the files of rules and of globs that options name. The rule parser is loaded only where there is something to parse. */
import { OcislimError } from '../errors.ts';
import { type GivenBound, readGiven } from '../files/given-file.ts';
import { exceeded } from '../limits.ts';
import type { Rule } from '../rules/rule.ts';
import { inTurns } from '../steps.ts';
import type { Door } from './option.ts';

/** What reading a file needs. */
type Reading = Pick<Door, 'limits' | 'signal'>;

/** Reads the rules in files, in order. Each rule says its file and line. @throws USAGE */
export async function readRuleFiles(
  files: readonly string[],
  _where: string,
  door: Reading,
): Promise<readonly Rule[]> {
  return readRules(files, 'rule file', door);
}

/** Reads the globs of files that name what must stay. @throws USAGE */
export async function readKeepFiles(
  files: readonly string[],
  _where: string,
  door: Reading,
): Promise<readonly string[]> {
  return (await readRules(files, 'keep file', door)).map((rule) => rule.text);
}

/** Returns globs as they are. @throws USAGE for a glob that cannot be parsed */
export async function checkGlobs(globs: readonly string[], where: string): Promise<readonly string[]> {
  if (globs.length === 0) return globs;
  const { parseRule } = await import('../rules/rules.ts');
  for (const glob of globs) parseRule(glob, where);
  return globs;
}

/** Reads files of rules, each rule with its origin FILE:LINE. @throws USAGE, RULES_INVALID, LIMIT */
async function readRules(
  files: readonly string[],
  what: string,
  { limits, signal }: Reading,
): Promise<readonly Rule[]> {
  if (files.length === 0) return [];
  const { countSteps, ruleSteps } = await import('../rules/rules.ts');
  const rules: Rule[] = [];
  let taken = 0;
  for (const file of files) {
    const text = await readText(file, { what, limit: 'rule-bytes', limits, taken }, signal);
    taken += Buffer.byteLength(text);
    // Counted first: counting takes a fraction of the time that parsing takes.
    const count = rules.length + (await inTurns(countSteps(text), signal));
    if (count > limits.rules)
      throw exceeded(
        'rules',
        limits,
        quoted(file, what),
        rules.length === 0 ? `it holds ${count}` : `with it there are ${count}`,
      );
    for (const rule of await inTurns(ruleSteps(text, file), signal)) rules.push(rule);
  }
  return rules;
}

/** Reads the text of a file that an option names. `bound.what` says in errors what the file is for. @throws USAGE, LIMIT */
export async function readText(
  file: string,
  bound: GivenBound & { readonly what: string },
  signal: AbortSignal,
): Promise<string> {
  const what = quoted(file, bound.what);
  const bytes = await readGiven(file, { ...bound, what }, signal).catch((cause: NodeJS.ErrnoException) => {
    signal.throwIfAborted();
    if (cause instanceof OcislimError) throw cause;
    const why = cause.code === 'ENOENT' ? 'it does not exist' : cause.message;
    throw new OcislimError('USAGE', `cannot read ${what}: ${why}`, { cause });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const isTooLong = (cause as NodeJS.ErrnoException).code === 'ERR_STRING_TOO_LONG';
    const why = isTooLong ? 'is longer than a text can be' : 'is not UTF-8 text';
    throw new OcislimError('USAGE', `${what} ${why}`, { cause });
  }
}

function quoted(file: string, what: string): string {
  return `the ${what} ${JSON.stringify(file)}`;
}
