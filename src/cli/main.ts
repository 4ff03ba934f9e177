import type { Argv, Options } from 'yargs';
import yargs from 'yargs';
import { errorCodes, OcislimError } from '../errors.ts';
import { fileError } from '../files/file-error.ts';
import type { Command, Console } from './command.ts';
import { commands } from './commands/all.ts';
import { CommandLine, fromEnvironment, variableOf } from '../settings/command-line.ts';
import { listOptions, type NamedOption } from '../settings/option.ts';
import { version } from '../commands/version.ts';

/** What shells report of a program that SIGPIPE ended. */
const brokenPipe = 141;

/** Runs a command line; everything that ends it comes back as an exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  let status: number | null = null;
  const onSignal = (name: 'SIGINT' | 'SIGTERM') => {
    // The second one does not wait for anything to be put away.
    if (status !== null) process.exit(status);
    status = name === 'SIGINT' ? 130 : 143;
    interrupted.abort(new OcislimError('INTERRUPTED', 'interrupted; nothing was published'));
  };
  const handlers = { SIGINT: () => onSignal('SIGINT'), SIGTERM: () => onSignal('SIGTERM') };
  let unwritable: unknown = null;
  const onOutput = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      // Who reads the output has gone (`| head`): put everything away and leave, as SIGPIPE would end a program.
      status ??= brokenPipe;
      interrupted.abort(new OcislimError('IO', 'nobody reads the output any more'));
    } else {
      unwritable ??= fileError('write to standard output', error);
      interrupted.abort(unwritable);
    }
  };
  process.stdout.on('error', onOutput);
  // Nobody can be told, and nothing hangs on it.
  if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => {});
  process.on('SIGINT', handlers.SIGINT);
  process.on('SIGTERM', handlers.SIGTERM);
  const console: Console = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interrupted.signal,
  };
  try {
    const result = await dispatch(args, console);
    // That the last words could not be written is heard of a moment later.
    await new Promise(setImmediate);
    if (unwritable !== null) return await explain(unwritable, args);
    // A signal that came too late has interrupted nothing.
    return status === brokenPipe ? status : result;
  } catch (error) {
    if (unwritable !== null) return await explain(unwritable, args);
    if (status === brokenPipe) return status;
    if (status !== null) {
      const told =
        error instanceof OcislimError && error.code === 'INTERRUPTED' ? error : interrupted.signal.reason;
      process.stderr.write(`ocislim: ${(told as OcislimError).message}\n`);
      return status;
    }
    return await explain(error, args);
  } finally {
    process.off('SIGINT', handlers.SIGINT);
    process.off('SIGTERM', handlers.SIGTERM);
  }
}

async function dispatch(args: readonly string[], console: Console): Promise<number> {
  const parser = yargs([...args])
    .scriptName('ocislim')
    .usage('$0 COMMAND: squash, prune and recompress container images where they live')
    .version(version)
    .alias('help', 'h')
    .updateStrings({
      'Not enough non-option arguments: got %s, need at least %s': {
        one: 'too few images are named: %s of %s',
        other: 'too few images are named: %s of %s',
      },
    } as never)
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
      throw (
        error ??
        new OcislimError(
          'USAGE',
          message?.replace(/\s*\n\s*/g, ' ') ?? 'the command line cannot be understood',
          {
            advice: 'See "ocislim --help".',
          },
        )
      );
    });
  for (const command of commands) {
    parser.command(
      usage(command),
      command.describe,
      (own) => describe(own, command, console.env),
      (values) => {
        throw new Chosen(command, new CommandLine(values));
      },
    );
  }
  try {
    await parser.parseAsync();
  } catch (error) {
    if (!(error instanceof Chosen)) throw error;
    return error.command.run(error.line, console);
  }
  return 0;
}

/** Thrown, since yargs would lay out the whole help of a command whose handler returns, which takes longer than loading it. */
class Chosen {
  readonly command: Command;
  readonly line: CommandLine;

  constructor(command: Command, line: CommandLine) {
    this.command = command;
    this.line = line;
  }
}

function usage({ name, positionals }: Command): string {
  return [
    name,
    ...positionals.map(({ name: each, required }) => (required ? `<${each}>` : `[${each}]`)),
  ].join(' ');
}

function describe(parser: Argv, command: Command, env: Console['env']): Argv {
  for (const { name, describe: text } of command.positionals) {
    const several = name.endsWith('..');
    parser.positional(several ? name.slice(0, -2) : name, { describe: text, type: 'string', array: several });
  }
  for (const option of listOptions(command.options))
    parser.option(option.name, settings(option, env) as Options);
  for (const [line, does] of command.examples) parser.example(line, does);
  return parser.epilogue(command.details);
}

function settings(option: NamedOption, env: Console['env']) {
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

/** Says what went wrong in one line, and what to do in another. */
async function explain(error: unknown, args: readonly string[]): Promise<number> {
  const { escapeText } = await import('../report/escape.ts');
  if (error instanceof OcislimError) {
    // The items of a list stay lines.
    const message = error.message.split('\n  - ').map(escapeText).join('\n  - ');
    process.stderr.write(`ocislim: ${message} [${error.code}]\n`);
    if (error.advice !== undefined) process.stderr.write(`  ${escapeText(error.advice)}\n`);
    return errorCodes[error.code].exit;
  }
  if (error instanceof Error && error.name === 'YError') {
    process.stderr.write(`ocislim: ${escapeText(error.message)} [USAGE]\n`);
    return 2;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `ocislim: a bug in ocislim, please report it with the command line (${escapeText(args[0] ?? '')} …) and this:\n${detail.split('\n').map(escapeText).join('\n')}\n`,
  );
  return errorCodes.INTERNAL.exit;
}
