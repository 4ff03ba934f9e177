/**
 * Splits the words of a command line by a table of options: which are options with which values, and which are arguments. It knows
 * no command; `parser.ts` finds that and calls it.
 */
import { parseArgs } from 'node:util';
import { OcislimError } from '../errors.ts';
import type { NamedOption, Raw } from '../settings/option.ts';
import { shellWord } from '../shell-word.ts';

/** What a command line holds, before any value is read. */
export interface Arguments {
  /** Options by their names on the command line. One that was repeated has a list. */
  readonly values: Readonly<Record<string, Raw>>;
  /** The arguments before `--`, each with its place in the command line. */
  readonly positionals: readonly { readonly value: string; readonly index: number }[];
  /** The words after `--`. */
  readonly rest: readonly string[];
  /** Options that the table does not have, as they were written: `--zstd`, `-n`. */
  readonly unknown: readonly { readonly written: string; readonly index: number }[];
}

type Token = NonNullable<ReturnType<typeof tokensOf>>[number];
type OptionToken = Extract<Token, { readonly kind: 'option' }>;

/** Splits a command line. @throws USAGE for a value that is missing or not wanted */
export function splitArguments(args: readonly string[], options: readonly NamedOption[]): Arguments {
  const byWord = new Map(options.flatMap((option) => wordsOf(option).map((word) => [word, option] as const)));
  const values: Record<string, Raw> = {};
  const positionals: { value: string; index: number }[] = [];
  const rest: string[] = [];
  const unknown: { written: string; index: number }[] = [];
  let isOver = false;
  const tokens = tokensOf(args, options);
  for (const [i, token] of tokens.entries()) {
    if (token.kind === 'option-terminator') isOver = true;
    else if (token.kind === 'positional') {
      if (isOver) rest.push(token.value);
      else if (!isAnswer(tokens[i - 1], token.value, byWord)) positionals.push(token);
    } else {
      const option = optionOf(token, byWord);
      if (option === undefined) unknown.push({ written: token.rawName, index: token.index });
      else add(values, option, valueOf(token, option, { next: tokens[i + 1], byWord }));
    }
  }
  return { values, positionals, rest, unknown };
}

/** Lists the words by which an option is known, without dashes: its name and its alias. */
function wordsOf({ name, alias }: NamedOption): string[] {
  return alias === undefined ? [name] : [name, alias];
}

/** Uses Node's own splitter, which knows `-qv`, `-j4`, `--name=value` and `--`. It judges nothing: what is wrong is said here. */
function tokensOf(args: readonly string[], options: readonly NamedOption[]) {
  const config = options.flatMap((option) => {
    const isFlag = option.type === 'boolean' || option.bare !== undefined;
    const type = isFlag ? ('boolean' as const) : ('string' as const);
    const [name, alias] = wordsOf(option);
    if (alias === undefined) return [[name, { type }]] as const;
    return alias.length === 1
      ? ([[name, { type, short: alias }]] as const)
      : ([name, alias].map((word) => [word, { type }]) as [string, { type: typeof type }][]);
  });
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(config) as Record<string, { type: 'boolean' | 'string'; short?: string }>,
    strict: false,
    allowPositionals: true,
    allowNegative: true,
    tokens: true,
  });
  return tokens;
}

function optionOf({ name }: OptionToken, byWord: ReadonlyMap<string, NamedOption>): NamedOption | undefined {
  return byWord.get(name);
}

/** Whether a word is the yes or no of the flag before it, as in `--tls-verify false`. */
function isAnswer(
  before: Token | undefined,
  word: string,
  byWord: ReadonlyMap<string, NamedOption>,
): boolean {
  if (before?.kind !== 'option' || before.value !== undefined || isNegated(before)) return false;
  return optionOf(before, byWord)?.type === 'boolean' && (word === 'true' || word === 'false');
}

function isNegated({ rawName, name }: OptionToken): boolean {
  return rawName === `--no-${name}`;
}

/** What decides about a value beside its own token. */
interface Beside {
  readonly next: Token | undefined;
  readonly byWord: ReadonlyMap<string, NamedOption>;
}

function valueOf(token: OptionToken, option: NamedOption, { next, byWord }: Beside): Raw {
  const { type } = option;
  if (type === 'boolean') return yesOrNo(token, next);
  if (isNegated(token)) return negated(token, option);
  if (option.bare !== undefined) return token.value ?? option.bare;
  const { value, inlineValue } = token;
  if (value === undefined) throw missing(token, option);
  const isOption = !inlineValue && /^-./.test(value) && !(type === 'number' && /^-[\d.]/.test(value));
  if (isOption) throw missing(token, option, isKnown(value, byWord) ? undefined : value);
  // Of `-j=4` the value is `=4`.
  const given = inlineValue && token.rawName.length === 2 ? value.replace(/^=/, '') : value;
  return type === 'number' ? (given.trim() === '' ? Number.NaN : Number(given)) : given;
}

/** Whether a word is an option of the command, so that the one before it has no value. */
function isKnown(word: string, byWord: ReadonlyMap<string, NamedOption>): boolean {
  const [, name = ''] = /^--?([^=]+)/.exec(word) ?? [];
  return byWord.has(word.startsWith('--') ? name : name.slice(0, 1));
}

function yesOrNo(token: OptionToken, next: Token | undefined): boolean {
  const { rawName, value } = token;
  const said =
    value ?? (next?.kind === 'positional' && /^(?:true|false)$/.test(next.value) ? next.value : 'true');
  if (isNegated(token)) return false;
  if (/^(?:true|yes|1)$/i.test(said)) return true;
  if (/^(?:false|no|0)$/i.test(said)) return false;
  throw new OcislimError('USAGE', `${rawName} is on or off: it takes no ${JSON.stringify(said)}`, {
    advice: `Write ${rawName}, or ${rawName}=false.`,
  });
}

/** Reads `--no-progress` as `--progress none`, where that is a choice. @throws USAGE */
function negated({ rawName }: OptionToken, { choices, name }: NamedOption): string {
  if (choices?.includes('none') === true) return 'none';
  throw new OcislimError('USAGE', `unknown option: ${rawName}`, { advice: `Leave --${name} out instead.` });
}

function missing({ rawName }: OptionToken, { value = 'VALUE', choices }: NamedOption, next?: string) {
  const wanted = choices?.join(', ') ?? value;
  const advice =
    next === undefined
      ? {}
      : { advice: `A value that begins with a dash goes behind "=": ${joined(rawName, next)}` };
  return new OcislimError('USAGE', `${rawName} needs a value: ${wanted}`, advice);
}

function joined(rawName: string, value: string): string {
  const word = rawName.length === 2 ? `${rawName}${value}` : `${rawName}=${value}`;
  return /\s/.test(word) ? shellWord(word) : word;
}

/** Adds a value. Of a flag that is repeated the last one counts. */
function add(values: Record<string, Raw>, { name, type }: NamedOption, value: Raw): void {
  const before = values[name];
  if (type === 'list' || (before !== undefined && type !== 'boolean'))
    values[name] = [...(before === undefined ? [] : [before].flat()), value].map(String);
  else values[name] = value;
}
