import type { Option, Values } from './options/option.ts';

/** What a command gets of the world. */
export interface Console {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface Positional {
  /** With `..` at its end: as many as are given. */
  readonly name: string;
  readonly describe: string;
  readonly required: boolean;
}

/** A command as data; what it does is loaded when it is used. */
export interface Command {
  readonly name: string;
  readonly describe: string;
  /** A paragraph for its page. */
  readonly details: string;
  readonly positionals: readonly Positional[];
  readonly options: readonly Option[];
  /** Command line and what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Returns the exit status. @throws OcislimError */
  run(values: Values, console: Console): Promise<number>;
}

export const source: Positional = { name: 'src', describe: 'the image to read', required: true };
export const destination: Positional = { name: 'dst', describe: 'where the new image goes', required: false };
