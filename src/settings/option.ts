/**
 * Options as data, and the constructors that make them. Everything that must agree about an option reads it from here: the
 * parser, the type of its setting, help, the documentation pages and shell completion.
 */
import { closestWord } from '../closest-word.ts';
import { OcislimError } from '../errors.ts';
import type { Limits } from '../limits.ts';

export type OptionGroup =
  | 'New layers'
  | 'Bases'
  | 'Layers'
  | 'What to remove'
  | 'Comparison'
  | 'Traces'
  | 'Recording'
  | 'Probing'
  | 'Gates'
  | 'Fleet'
  | 'What to restore'
  | 'Config'
  | 'Packing'
  | 'Result'
  | 'Reports'
  | 'Attestations'
  | 'Registries'
  | 'Work';

/** What the command line or an environment variable gave for one option, before it is read. */
export type Raw = string | number | boolean | readonly string[];

/** What reading an option may need beside its own text. */
export interface Door {
  /** The texts of another list option: those of --trace-root decide how --trace is read. */
  readonly listOf: (name: string) => readonly string[];
  /** The limits of the run, for files that options name. */
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/** A command-line option. Its key in a table is the name of its setting; `--dry-run` has the key `dryRun`. */
export interface Option<Value = unknown> {
  readonly type: 'string' | 'boolean' | 'number' | 'list';
  readonly alias?: string;
  /** The word for the value in help: `N`, `FILE`. */
  readonly value?: string;
  /** What the option means without a value. Its value then goes behind "=" only: `--provenance`, `--provenance=FILE`. */
  readonly bare?: string;
  readonly choices?: readonly string[];
  /** Words that completion offers where there are no choices. Default: none. */
  readonly suggest?: () => Promise<readonly string[]>;
  /** The default as a person would write it. It is read like any other text. */
  readonly default?: string | number | boolean;
  /** What it does: an imperative of at most 80 characters. */
  readonly describe: string;
  /** More sentences, for the documentation page alone. */
  readonly details?: string;
  readonly group: OptionGroup;
  /** The name on the command line where it is not that of the key. */
  readonly name?: string;
  /** The environment variable that alone sets this option. It is not on the command line. */
  readonly variable?: string;
  /** Whether the value is kept out of settings: it goes into `Secrets`. */
  readonly secret?: true;
  /**
   * Reads what was given. `undefined` stands for an option that was not given and has no default. `where` names the option in errors.
   * @throws USAGE
   */
  read(given: Raw | undefined, where: string, door: Door): Value | Promise<Value>;
}

/** Options by the names of their settings, in the order of help. */
export type Options = Readonly<Record<string, Option>>;

/** The settings that a table of options gives: plain data that survives JSON. Secrets are no part of it. */
export type SettingsOf<Table extends Options> = {
  readonly [Key in keyof Table as Table[Key] extends { readonly secret: true } ? never : Key]: Awaited<
    ReturnType<Table[Key]['read']>
  >;
};

/** An option with its name on the command line. */
export type NamedOption = Option & { readonly name: string };

/** Lists the options of a table that the command line has, with their names. */
export function listOptions(options: Options): readonly NamedOption[] {
  return Object.entries(options)
    .filter(([, { variable }]) => variable === undefined)
    .map(([key, option]) => ({ ...option, name: nameOf(key, option) }));
}

/** Returns an option's name on the command line: `dry-run` for `dryRun`, unless the option has a name of its own. */
export function nameOf(key: string, { name }: Pick<Option, 'name'> = {}): string {
  return name ?? key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Returns how the value of an option is written behind its name: ` FILE`, `[=FILE]`, or nothing for a flag. */
export function valueOf({ type, value, bare, choices }: Omit<Option, 'read'>): string {
  if (type === 'boolean') return '';
  const word = value ?? (choices === undefined ? 'VALUE' : 'WORD');
  return bare === undefined ? ` ${word}` : `[=${word}]`;
}

/** Which of the fields of an option its caller writes. */
type Spec = Pick<Option, 'alias' | 'value' | 'bare' | 'describe' | 'details' | 'group' | 'name' | 'suggest'>;

/** Reads a text into a value. @throws USAGE naming the option, `where` */
type Parse<Value> = (text: string, where: string) => Value;

/** Makes an option that is on or off. Default: off, unless `default` says otherwise. */
export function flag(spec: Spec & { readonly default?: boolean }): Option<boolean> {
  return { ...spec, type: 'boolean', read: (given) => given === true };
}

/** Makes an option with a text that `parse` reads. Default: null, unless `default` has a text. */
export function parsed<Value>(parse: Parse<Value>, spec: Spec & { readonly default: string }): Option<Value>;
export function parsed<Value>(parse: Parse<Value>, spec: Spec): Option<Value | null>;
export function parsed<Value>(
  parse: Parse<Value>,
  spec: Spec & { readonly default?: string },
): Option<Value | null> {
  return {
    ...spec,
    type: 'string',
    read: (given, where) => (given === undefined ? null : parse(String(given), where)),
  };
}

/** Makes an option whose reader is loaded when the option is given: `--help` needs no reader. */
export function parsedBy<Value>(load: () => Promise<Parse<Value>>, spec: Spec): Option<Value | null> {
  return {
    ...spec,
    type: 'string',
    read: async (given, where) => (given === undefined ? null : (await load())(String(given), where)),
  };
}

/** Makes an option with any text. Default: null, unless `default` has one. */
export function text(spec: Spec & { readonly default: string }): Option<string>;
export function text(spec: Spec): Option<string | null>;
export function text(spec: Spec & { readonly default?: string }): Option<string | null> {
  return parsed((given) => given, spec as Spec);
}

/** What to write instead of words that other tools have for a choice. Keys are in lower case. */
type ChoiceSpec = Spec & {
  readonly instead?: Readonly<Record<string, string>>;
};

/** Makes an option with one of a few words. */
export function choice<const Word extends string>(
  choices: readonly Word[],
  spec: ChoiceSpec & { readonly default: Word },
): Option<Word>;
export function choice<const Word extends string>(
  choices: readonly Word[],
  spec: ChoiceSpec,
): Option<Word | null>;
export function choice<const Word extends string>(
  choices: readonly Word[],
  { instead = {}, ...spec }: ChoiceSpec & { readonly default?: Word },
): Option<Word | null> {
  const parse = (given: string, where: string): Word => {
    const found = choices.find((word) => word === given);
    if (found !== undefined) return found;
    const near = closestWord(given, choices);
    const known = Object.hasOwn(instead, given.toLowerCase()) ? instead[given.toLowerCase()] : undefined;
    const advice = known ?? (near === null ? undefined : `Did you mean ${near}?`);
    throw new OcislimError(
      'USAGE',
      `${where} takes ${choices.join(', ')}, not ${JSON.stringify(given)}`,
      advice === undefined ? {} : { advice },
    );
  };
  return { ...parsed(parse, spec as Spec), choices };
}

/** Makes an option with a whole number of at least `least`. */
export function count(least: number, spec: Spec & { readonly default: number }): Option<number>;
export function count(least: number, spec: Spec): Option<number | null>;
export function count(least: number, spec: Spec & { readonly default?: number }): Option<number | null> {
  return {
    ...spec,
    type: 'number',
    read: (given, where) => (given === undefined ? null : wholeNumber(least, given, where)),
  };
}

/** @throws USAGE for a value that is not a whole number, or is too small */
export function wholeNumber(least: number, given: unknown, where: string): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= least) return given;
  const range = least === 1 ? 'above 0' : `of ${least} or more`;
  throw new OcislimError('USAGE', `${where} takes a whole number ${range}, not ${String(given)}`);
}

/** Makes a repeatable option whose texts `parse` reads. Default: an empty list. */
export function list<Value>(
  parse: (texts: readonly string[], where: string, door: Door) => Value | Promise<Value>,
  spec: Spec,
): Option<Value> {
  return { ...spec, type: 'list', read: (given, where, door) => parse(textsOf(given), where, door) };
}

/** Returns the texts of a repeatable option, in their order. */
export function textsOf(given: Raw | undefined): readonly string[] {
  if (given === undefined) return [];
  return (Array.isArray(given) ? (given as readonly string[]) : [given]).map(String);
}

/** Splits comma-separated texts, and drops the spaces around the parts. */
export function splitNames(texts: readonly string[]): readonly string[] {
  return texts.flatMap((item) =>
    item
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
}

/** Reads `K=V` texts; a later pair replaces an earlier one of its key. @throws USAGE for a text without a key */
export function parsePairs(texts: readonly string[], where: string): Readonly<Record<string, string>> {
  const pairs = texts.map((item): readonly [string, string] => {
    const equals = item.indexOf('=');
    if (equals < 1) throw new OcislimError('USAGE', `${where} takes KEY=VALUE, not ${JSON.stringify(item)}`);
    return [item.slice(0, equals), item.slice(equals + 1)];
  });
  // Entries, since an assignment to `__proto__` would be lost.
  return Object.fromEntries(pairs);
}

/** Makes an option whose value is a credential. It never becomes a setting. */
export function secret(spec: Spec): Option<string | null> & { readonly secret: true } {
  return { ...text(spec), secret: true };
}

/** Makes a setting that an environment variable alone gives, under a name that other programs know too. */
export function fromVariable<Value>(
  variable: string,
  parse: Parse<Value>,
  spec: Pick<Option, 'describe' | 'group'>,
): Option<Value | null> {
  return { ...parsed(parse, spec), variable };
}
