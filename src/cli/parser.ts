/** Sets up yargs from our own table of commands, and finds the command of a command line. It runs nothing. */
import type { Argv, Options } from 'yargs';
import yargs from 'yargs';
import { version } from '../commands/version.ts';
import { OcislimError } from '../errors.ts';
import { CommandLine, type Environment, fromEnvironment, variableOf } from '../settings/command-line.ts';
import { listOptions, type NamedOption } from '../settings/option.ts';
import type { Command, Console } from './command.ts';
import { commands } from './commands/all.ts';

/** Runs the command that was found. Returns the exit status. */
type Run = (console: Console) => Promise<number>;

/** Finds the command of a command line; null where yargs has answered itself (--help, --version). @throws USAGE, YError */
export async function parseCommandLine(args: readonly string[], env: Environment): Promise<Run | null> {
  const parser = commandParser(args);
  for (const command of commands) {
    parser.command(
      usage(command),
      command.describe,
      (own) => describe(own, command, env),
      (values) => {
        throw new Chosen((console) => command.run(new CommandLine(values), console));
      },
    );
  }
  try {
    await parser.parseAsync();
  } catch (error) {
    if (error instanceof Chosen) return error.run;
    throw error;
  }
  return null;
}

/** Leaves yargs early: it would lay out the whole help of a command whose handler returns, which takes longer than loading it. */
class Chosen {
  readonly run: Run;

  constructor(run: Run) {
    this.run = run;
  }
}

/** Sets up yargs: unknown options are errors, and numbers among positional arguments stay texts. */
function commandParser(args: readonly string[]): Argv {
  return yargs([...args])
    .scriptName('ocislim')
    .usage('$0 COMMAND: squash, prune and recompress container images where they live')
    .version(version)
    .alias('help', 'h')
    .updateStrings({ 'Not enough non-option arguments: got %s, need at least %s': tooFew } as never)
    .parserConfiguration({
      'duplicate-arguments-array': true,
      'greedy-arrays': false,
      'camel-case-expansion': false,
      'parse-positional-numbers': false,
      'populate--': true,
    })
    .strict()
    .strictCommands()
    .recommendCommands()
    .demandCommand(
      1,
      'ocislim needs a command: squash, prune, recompress, slim, copy, verify, export, registry',
    )
    .wrap(Math.min(process.stdout.columns ?? 100, 110))
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? misunderstood(message);
    });
}

/** Stands for yargs' own sentence about missing arguments, since that cannot have the numbers in the other order. */
const tooFew = { one: 'arguments: %s of %s', other: 'arguments: %s of %s' };

function misunderstood(message: string | null): OcislimError {
  const [, got, expected] = /^arguments: (\d+) of (\d+)$/.exec(message ?? '') ?? [];
  const words =
    expected === undefined
      ? (message?.replace(/\s*\n\s*/g, ' ') ?? 'the command line cannot be understood')
      : `expected ${expected} ${expected === '1' ? 'argument' : 'arguments'}, got ${got}`;
  return new OcislimError('USAGE', words, { advice: 'See "ocislim --help".' });
}

/** Writes a command's name and arguments in yargs' own notation. */
function usage({ name, positionals }: Command): string {
  const names = positionals.map((each) => (each.required ? `<${each.name}>` : `[${each.name}]`));
  return [name, ...names].join(' ');
}

/** Tells yargs the arguments, options and examples of a command. */
function describe(parser: Argv, command: Command, env: Environment): Argv {
  for (const { name, describe: text } of command.positionals) {
    const several = name.endsWith('..');
    parser.positional(several ? name.slice(0, -2) : name, { describe: text, type: 'string', array: several });
  }
  for (const option of listOptions(command.options))
    parser.option(option.name, yargsOptions(option, env) as Options);
  for (const [line, does] of command.examples) parser.example(line, does);
  return parser.epilogue(command.details);
}

/** Translates an option. Its own environment variable takes the place of its default. */
function yargsOptions(option: NamedOption, env: Environment) {
  const { alias, type, choices, describe: text, group, value: placeholder } = option;
  const surrounding = fromEnvironment(option, env);
  const value = surrounding ?? option.default;
  return {
    ...(alias === undefined ? {} : { alias }),
    ...(choices === undefined ? {} : { choices }),
    ...(value === undefined ? {} : { default: value }),
    // The value itself may be a secret.
    ...(surrounding === undefined ? {} : { defaultDescription: `$${variableOf(option.name)}` }),
    ...(type === 'list' ? { type: 'string', array: true } : { type }),
    ...(placeholder === undefined || type === 'boolean' ? {} : { requiresArg: true }),
    describe: placeholder === undefined ? text : `${placeholder}: ${text}`,
    group: `${group}:`,
  };
}
