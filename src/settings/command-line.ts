/**
 * The door: turns what the command line and the environment gave into settings, once. The bag of texts that the command-line
 * parser makes is opened here and nowhere else. Callers: the commands of `cli/`, and the library for defaults.
 */
import { OcislimError } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import {
  type Door,
  nameOf,
  type Option,
  type Options,
  type Raw,
  type SettingsOf,
  textsOf,
} from './option.ts';
import { type SecretName, Secrets } from './secrets.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What reading options needs of the process. */
export interface DoorContext {
  readonly env: Environment;
  readonly signal: AbortSignal;
}

/** A parsed command line: settings, and secrets beside them. */
export interface Parsed<Table extends Options> {
  readonly settings: SettingsOf<Table>;
  readonly secrets: Secrets;
}

/** A parsed command line: positional arguments, options, and the words after `--`. */
export class CommandLine {
  readonly #values: Readonly<Record<string, Raw | undefined>>;
  readonly #surrounding: Readonly<Record<string, Raw>>;

  /**
   * `values`: by name, as the words of the command line gave them. `surrounding`: those of the environment, which count where the
   * command line gives none.
   */
  constructor(
    values: Readonly<Record<string, Raw | undefined>>,
    surrounding: Readonly<Record<string, Raw>> = {},
  ) {
    this.#values = { ...surrounding, ...values };
    this.#surrounding = Object.fromEntries(
      Object.entries(surrounding).filter(([name]) => values[name] === undefined),
    );
  }

  /** A positional argument; null where it is absent. */
  argument(name: string): string | null {
    return this.argumentsOf(name)[0] ?? null;
  }

  /** Returns this line with other positional arguments. Null takes one away. */
  withArguments(named: Readonly<Record<string, string | null>>): CommandLine {
    const given = Object.entries(named).map(([name, value]) => [name, value ?? undefined] as const);
    return new CommandLine({ ...this.#values, ...Object.fromEntries(given) }, this.#surrounding);
  }

  /** The values of a positional argument that may be repeated; or, with `--`, the words after `--`. */
  argumentsOf(name: string): readonly string[] {
    return textsOf(this.#values[name]);
  }

  /**
   * Reads every option of a table, in its order. Files that options name are read here too, so that settings hold their
   * contents and can be used on another machine.
   * @throws USAGE, and what the readers of files throw
   */
  async parse<Table extends Options>(options: Table, { env, signal }: DoorContext): Promise<Parsed<Table>> {
    this.#refuseBroken(options);
    const limits = await this.#limits();
    const door: Door = { signal, limits, listOf: (name) => this.argumentsOf(name) };
    const settings: Record<string, unknown> = {};
    const secrets: Partial<Record<SecretName, string>> = {};
    for (const [key, option] of Object.entries(options)) {
      const { variable } = option;
      const name = nameOf(key, option);
      const given = variable === undefined ? this.#values[name] : env[variable] || undefined;
      const value = await option.read(given ?? option.default, variable ?? this.#nameOf(name), door);
      if (option.secret !== true) settings[key] = value;
      else if (typeof value === 'string') secrets[key as SecretName] = value;
    }
    const clientP12Passphrase = env['OCISLIM_CLIENT_P12_PASSPHRASE'] || null;
    // cosign's own variable may be set and empty: keys of pipelines often have an empty passphrase.
    const signKeyPassphrase = env['OCISLIM_SIGN_KEY_PASSPHRASE'] || (env['COSIGN_PASSWORD'] ?? null);
    return {
      settings: settings as SettingsOf<Table>,
      secrets: new Secrets({ ...secrets, clientP12Passphrase, signKeyPassphrase }),
    };
  }

  /** Returns those of some options that the environment gives, and the command line does not. */
  fromEnvironment(names: readonly string[]): readonly string[] {
    return names.filter((name) => Object.hasOwn(this.#surrounding, name));
  }

  /** Returns how an option was given, for errors: by itself, or by its environment variable. */
  #nameOf(name: string): string {
    return Object.hasOwn(this.#surrounding, name) ? variableOf(name) : `--${name}`;
  }

  /** Reads --limit before all other options, since it bounds what these read. @throws USAGE */
  async #limits(): Promise<Limits> {
    const texts = this.argumentsOf('limit');
    if (texts.length === 0) return defaultLimits;
    const { limitsOf, parseLimits } = await import('./limits.ts');
    return limitsOf(parseLimits(texts, this.#nameOf('limit')));
  }

  /** @throws USAGE for an option given twice that takes one value, and for a number that cannot be read */
  #refuseBroken(options: Options): void {
    for (const [key, option] of Object.entries(options)) {
      const name = nameOf(key, option);
      const value = this.#values[name];
      if (option.type !== 'list' && Array.isArray(value))
        throw new OcislimError('USAGE', `--${name} is given twice`);
      if (option.type === 'number' && Number.isNaN(value))
        throw new OcislimError('USAGE', `--${name} takes a number`);
    }
  }
}

/** Returns the settings of a table where nothing is given. */
export async function defaultSettings<Table extends Options>(options: Table): Promise<SettingsOf<Table>> {
  const context = { env: {}, signal: new AbortController().signal };
  return (await new CommandLine({}).parse(options, context)).settings;
}

/**
 * Reads an option's own environment variable: `OCISLIM_GZIP_ENGINE` stands for --gzip-engine where that is not
 * given. @throws USAGE for a text that is not a number, or not yes or no, where one is needed
 */
export function fromEnvironment(
  { name, type }: { readonly name: string; readonly type: Option['type'] },
  env: Environment,
): string | number | boolean | string[] | undefined {
  const variable = variableOf(name);
  const value = env[variable];
  if (value === undefined || value === '') return undefined;
  switch (type) {
    case 'string':
      return value;
    case 'list':
      return [value];
    case 'number':
      if (Number.isFinite(Number(value))) return Number(value);
      break;
    case 'boolean':
      if (/^(?:1|true|yes)$/i.test(value)) return true;
      if (/^(?:0|false|no)$/i.test(value)) return false;
  }
  const wanted = type === 'number' ? 'a number' : 'yes or no (1 or 0)';
  throw new OcislimError('USAGE', `${variable} is ${JSON.stringify(value)}, not ${wanted}`);
}

/** Returns the name of the environment variable that sets an option. */
export function variableOf(name: string): string {
  return `OCISLIM_${name.replaceAll('-', '_').toUpperCase()}`;
}
