/**
 * What completion offers, taken from the tables of commands and options: names, and for each option what its value may be. The
 * scripts for the shells, beside this file, are made from it.
 */
import { listOptions, type NamedOption } from '../../settings/option.ts';
import type { Command } from '../command.ts';

/** What the value of an option may be. `list`: words with commas between. `any`: what no table knows. */
export type Value =
  | { readonly kind: 'words' | 'list'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'folder' | 'any' };

/** An option as it is typed. */
export interface OptionWords {
  /** With its dashes: `--tag`, `-t`. */
  readonly words: readonly string[];
  readonly describe: string;
  /** Null for a flag. */
  readonly value: Value | null;
}

export interface CommandWords {
  readonly name: string;
  readonly describe: string;
  readonly options: readonly OptionWords[];
  /** What the first argument may be; empty where it is an image or a file. */
  readonly first: readonly string[];
}

/** Lists the words of all commands. */
export async function vocabularyOf(commands: readonly Command[]): Promise<readonly CommandWords[]> {
  const names = commands.map(({ name }) => name);
  return [
    ...(await Promise.all(commands.map(wordsOf))),
    { name: 'help', describe: 'show the help of a command', options: [], first: names },
    { name: 'version', describe: 'show the version', options: [], first: [] },
  ];
}

async function wordsOf({ name, describe, options, positionals: [first] }: Command): Promise<CommandWords> {
  return {
    name,
    describe,
    options: [
      ...(await Promise.all(listOptions(options).map(optionWords))),
      { words: ['--help'], describe: 'show the help of this command', value: null },
      { words: ['--help-all'], describe: 'show it with all options', value: null },
    ],
    first: first?.choices ?? (await first?.suggest?.()) ?? [],
  };
}

async function optionWords(option: NamedOption): Promise<OptionWords> {
  const { name, alias, describe, type, bare, default: value } = option;
  const short = alias === undefined ? [] : [alias.length === 1 ? `-${alias}` : `--${alias}`];
  const negated = type === 'boolean' && value === true ? [`--no-${name}`] : [];
  return {
    words: [`--${name}`, ...short, ...negated],
    describe,
    // A value that may be left out stands behind "=": the next word is another one.
    value: type === 'boolean' || bare !== undefined ? null : await valueOf(option),
  };
}

async function valueOf({ choices, suggest, value = '' }: NamedOption): Promise<Value> {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (suggest !== undefined) return { kind: value.endsWith(',…') ? 'list' : 'words', words: await suggest() };
  if (/FILE|\.yaml$/.test(value)) return { kind: 'file' };
  return { kind: value === 'DIR' ? 'folder' : 'any' };
}
