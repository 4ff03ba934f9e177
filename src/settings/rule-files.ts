/** Reads the files of rules and of globs that options name. The rule parser is loaded only where there is something to parse. */
import { stat } from 'node:fs/promises';
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
  const total = await sizeOfAll(files);
  const texts: (readonly [file: string, text: string])[] = [];
  let [taken, count] = [0, 0];
  // Counted first: counting takes a fraction of the time that parsing takes.
  for (const file of files) {
    const bound = { what, limit: 'rule-bytes', limits, taken, ...(total === null ? {} : { total }) } as const;
    const text = await readText(file, bound, signal);
    taken += Buffer.byteLength(text);
    count += await inTurns(countSteps(text), signal);
    texts.push([file, text]);
  }
  if (count > limits.rules) throw tooMany(count, { files, what, limits });
  const rules: Rule[] = [];
  for (const [file, text] of texts)
    for (const rule of await inTurns(ruleSteps(text, file), signal)) rules.push(rule);
  return rules;
}

function tooMany(
  count: number,
  { files, what, limits }: { files: readonly string[]; what: string; limits: Reading['limits'] },
): OcislimError {
  const [first = ''] = files;
  const subject = files.length === 1 ? quoted(first, what) : `the ${files.length} ${what}s`;
  const says = `${files.length === 1 ? 'it holds' : 'they hold'} ${count}`;
  return exceeded('rules', limits, subject, { says, needed: count });
}

/** Returns the bytes of files; null where one is a pipe, whose size is known at its end only. */
async function sizeOfAll(files: readonly string[]): Promise<number | null> {
  let size = 0;
  for (const file of files) {
    const found = await stat(file).catch(() => null);
    if (found?.isFile() !== true) return null;
    size += found.size;
  }
  return size;
}

/** Reads the text of a file that an option names. `bound.what` says in errors what the file is for. @throws USAGE, LIMIT */
export async function readText(
  file: string,
  bound: GivenBound & { readonly what: string },
  signal: AbortSignal,
): Promise<string> {
  const what = quoted(file, bound.what);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(
      await readGiven(file, { ...bound, what }, signal),
    );
  } catch (cause) {
    signal.throwIfAborted();
    throw unreadable(what, cause);
  }
}

/** Makes the error for a file that cannot be read, or not as a text, from its cause. An error of ours stays as it is. */
export function unreadable(what: string, cause: unknown): OcislimError {
  if (cause instanceof OcislimError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_STRING_TOO_LONG')
    return new OcislimError('USAGE', `${what} is longer than a text can be`, { cause });
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return new OcislimError('USAGE', `${what} is not UTF-8 text`, { cause });
  const why = code === 'ENOENT' ? 'it does not exist' : message;
  return new OcislimError('USAGE', `cannot read ${what}: ${why}`, { cause });
}

/** Names a file in a message, with what it is for. */
export function quoted(file: string, what: string): string {
  return `the ${what} ${JSON.stringify(file)}`;
}
