/** Reads the files of rules and of globs that options name. The rule parser is loaded only where there is something to parse. */
import { OcislimError } from '../errors.ts';
import { readGiven } from '../files/given-file.ts';
import type { Rule } from '../rules/rule.ts';
import type { Door } from './option.ts';

/** Reads the rules in files, in order. Each rule says its file and line. @throws USAGE */
export async function readRuleFiles(
  files: readonly string[],
  _where: string,
  { signal }: Pick<Door, 'signal'>,
): Promise<readonly Rule[]> {
  return readRules(files, 'rule file', signal);
}

/** Reads the globs of files that name what must stay. @throws USAGE */
export async function readKeepFiles(
  files: readonly string[],
  _where: string,
  { signal }: Pick<Door, 'signal'>,
): Promise<readonly string[]> {
  return (await readRules(files, 'keep file', signal)).map((rule) => rule.text);
}

/** Returns globs as they are. @throws USAGE for a glob that cannot be parsed */
export async function checkGlobs(globs: readonly string[], where: string): Promise<readonly string[]> {
  if (globs.length === 0) return globs;
  const { parseRule } = await import('../rules/rules.ts');
  for (const glob of globs) parseRule(glob, where);
  return globs;
}

/** Reads files of rules, each rule with its origin FILE:LINE. @throws USAGE, RULES_INVALID */
async function readRules(
  files: readonly string[],
  what: string,
  signal: AbortSignal,
): Promise<readonly Rule[]> {
  if (files.length === 0) return [];
  const { parseRules } = await import('../rules/rules.ts');
  const rules: Rule[] = [];
  for (const file of files) rules.push(...parseRules(await readText(file, what, signal), file));
  return rules;
}

/** Reads the text of a file that an option names. `what` says in errors what the file is for. @throws USAGE */
export async function readText(file: string, what: string, signal: AbortSignal): Promise<string> {
  const bytes = await readGiven(file, Number.POSITIVE_INFINITY, signal).catch(
    (cause: NodeJS.ErrnoException) => {
      signal.throwIfAborted();
      const why = cause.code === 'ENOENT' ? 'it does not exist' : cause.message;
      throw new OcislimError('USAGE', `cannot read the ${what} ${JSON.stringify(file)}: ${why}`, { cause });
    },
  );
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OcislimError('USAGE', `the ${what} ${JSON.stringify(file)} is not UTF-8 text`, { cause });
  }
}
