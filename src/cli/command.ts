/** A command of the command line as data. Help, documentation and completion are made from it as much as its run. */
import type { CommandLine, Environment, Parsed } from '../settings/command-line.ts';
import type { OptionGroup, Options } from '../settings/option.ts';

/** What a command gets of the process. */
export interface Console {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** Takes note that an image is published: what fails from now on is told with its name. */
  readonly notePublished: (name: string) => void;
}

/** A positional argument as data. */
export interface Positional {
  /** The name. With `..` at its end, as many as are given. */
  readonly name: string;
  readonly describe: string;
  readonly required: boolean;
  /** The words that it may be, where they are few. */
  readonly choices?: readonly string[];
  /** Words that completion offers beside others. Default: none. */
  readonly suggest?: () => Promise<readonly string[]>;
}

/** What a command is given: its parsed options, and what else it may need. */
export interface Call<Table extends Options> extends Parsed<Table> {
  readonly line: CommandLine;
  readonly console: Console;
}

/** A command. Its work is loaded when it runs. */
export interface Command {
  readonly name: string;
  readonly describe: string;
  /** A paragraph for its page. */
  readonly details: string;
  readonly positionals: readonly Positional[];
  readonly options: Options;
  /** Groups of options that its help shows at once, although most commands share them. Default: none. */
  readonly leads?: readonly OptionGroup[];
  /** What the words after `--` are. Default: arguments like those before it. */
  readonly rest?: string;
  /** Command lines, each with what it does, and what it needs that tests do not have. Default: nothing. */
  readonly examples: readonly (readonly [line: string, does: string, needs?: string])[];
  /** Returns the exit status. @throws OcislimError */
  run(line: CommandLine, console: Console): Promise<number>;
}

/** A command as its file states it: `run` gets settings of the type of its own table. */
export interface Definition<Table extends Options> extends Omit<Command, 'run' | 'options'> {
  readonly options: Table;
  /** Runs before options are read, and so before files are. @throws USAGE */
  readonly check?: (line: CommandLine, console: Console) => Promise<void>;
  /** Returns the exit status. @throws OcislimError */
  readonly run: (call: Call<Table>) => Promise<number>;
}

/** Makes a command whose run gets the settings of its own table. */
export function defineCommand<Table extends Options>(definition: Definition<Table>): Command {
  const { run, check, ...data } = definition;
  return {
    ...data,
    async run(line, console) {
      await check?.(line, console);
      return run({ ...(await line.parse(data.options, console)), line, console });
    },
  };
}

export const source: Positional = { name: 'src', describe: 'the image to read', required: true };
export const destination: Positional = { name: 'dst', describe: 'where the new image goes', required: false };
