/**
 * Finds the command of a command line and what it is given. It runs nothing: `main.ts` does, and what answers for help and for
 * mistakes is loaded only when it is asked for.
 */
import { version } from '../commands/version.ts';
import { closestWord } from '../closest-word.ts';
import { OcislimError } from '../errors.ts';
import { CommandLine, type Environment, fromEnvironment } from '../settings/command-line.ts';
import { flag, listOptions, type NamedOption, type Raw, splitNames, textsOf } from '../settings/option.ts';
import { type Arguments, splitArguments } from './arguments.ts';
import type { Command, Console } from './command.ts';
import { commands } from './commands/all.ts';
import { presetsCommand } from './commands/presets.ts';
import { placeholderOf, usageOf } from './usage.ts';

/** Runs the command that was found. Returns the exit status. */
export type Run = (console: Console) => Promise<number>;

/** What every command understands beside its own options. */
const general = listOptions({
  help: flag({ alias: 'h', describe: 'show the help of a command', group: 'Reports' }),
  helpAll: flag({ describe: 'show it with all options', group: 'Reports' }),
  version: flag({
    alias: 'V',
    describe: 'show the version; with --verbose, also the engine that packs gzip',
    group: 'Reports',
  }),
});

/** The status of a command line without a command: nothing was done, which a script must not take for success. */
const nothingDone = 2;

/** Finds the command of a command line. @throws USAGE */
export async function parseCommandLine(args: readonly string[], env: Environment): Promise<Run> {
  const early = splitArguments(args, everyOption(args));
  const [word, ...more] = early.positionals;
  const [stray] = early.unknown;
  if (word === undefined || (stray !== undefined && stray.index < word.index)) {
    if (asks(early, 'version')) return versionOf(early, env);
    if (asks(early, 'help', 'help-all')) return printOverview;
    if (stray !== undefined) throw await unknownOption(stray, args, null);
    if (args.length === 0) return printIntroduction;
    throw new OcislimError('USAGE', 'a command is missing', { advice: commandAdvice });
  }
  if (word.value === 'help') return help(more.map(({ value }) => value)[0], asks(early, 'help-all'));
  if (word.value === 'version') return versionOf(early, env);
  const command = commands.find(({ name }) => name === word.value);
  if (command === undefined) {
    const { unknownCommand } = await import('./mistakes/unknown.ts');
    throw unknownCommand(word.value, commands);
  }
  return runOf(command, args.toSpliced(word.index, 1), env);
}

const commandAdvice = 'See "ocislim help".';

/**
 * Lists the options of all commands, to find the command behind options and their values. Those of the first command that is named
 * come first: `--config` takes a value in one, and none in another.
 */
function everyOption(args: readonly string[]): readonly NamedOption[] {
  const word = args.find((each) => commands.some(({ name }) => name === each));
  const sorted = commands.toSorted((a, b) => Number(b.name === word) - Number(a.name === word));
  const all = [...general, ...sorted.flatMap(({ options }) => listOptions(options))];
  return [...new Map(all.toReversed().map((option) => [option.name, option])).values()];
}

function asks({ values }: Arguments, ...names: readonly string[]): boolean {
  return names.some((name) => values[name] === true);
}

async function help(topic: string | undefined, all: boolean): Promise<Run> {
  if (topic === undefined) return printOverview;
  const command = commands.find(({ name }) => name === topic);
  if (command !== undefined) return (console) => printHelp(command, all, console);
  if (topic === 'help' || topic === 'version') return printOverview;
  const { unknownCommand } = await import('./mistakes/unknown.ts');
  throw unknownCommand(topic, commands);
}

/** Reads the words of a command, without its name. @throws USAGE */
async function runOf(command: Command, args: readonly string[], env: Environment): Promise<Run> {
  const own = listOptions(command.options);
  const taken = new Set(own.flatMap(({ name, alias }) => [name, alias]));
  const known = [...own, ...general.map((option) => withoutTakenAlias(option, taken))];
  const given = splitArguments(args, known);
  if (asks(given, 'help', 'help-all'))
    return (console) => printHelp(command, asks(given, 'help-all'), console);
  if (asks(given, 'version')) return versionOf(given, env);
  const [stray] = given.unknown;
  if (stray !== undefined) throw await unknownOption(stray, args, command);
  // `--preset help` asks for the list, with or without an image.
  if (splitNames(textsOf(given.values['preset'])).includes('help'))
    return (console) => presetsCommand.run(new CommandLine({}), console);
  const words = { ...given.values, ...placed(command, given) };
  const line = new CommandLine(words, surroundingValues(own, env));
  return (console) => command.run(line, console);
}

function withoutTakenAlias(option: NamedOption, taken: ReadonlySet<string | undefined>): NamedOption {
  const { alias, ...rest } = option;
  return alias === undefined || taken.has(alias) ? rest : option;
}

async function unknownOption(
  { written, index }: Arguments['unknown'][number],
  args: readonly string[],
  command: Command | null,
): Promise<OcislimError> {
  const mistakes = await import('./mistakes/unknown.ts');
  return mistakes.unknownOption({ written, word: args[index] ?? written }, command, commands);
}

/** The values of options that the environment sets. Those of the command line stand before them. @throws USAGE */
function surroundingValues(options: readonly NamedOption[], env: Environment): Record<string, Raw> {
  return Object.fromEntries(
    options.flatMap((option) => {
      const value = fromEnvironment(option, env);
      return value === undefined ? [] : [[option.name, value]];
    }),
  );
}

/** Gives the arguments their names. @throws USAGE for one that is missing, and for one too many */
function placed(command: Command, { positionals, rest }: Arguments): Record<string, Raw> {
  const words = [...positionals.map(({ value }) => value), ...(command.rest === undefined ? rest : [])];
  const named: Record<string, Raw> = command.rest === undefined ? {} : { '--': rest };
  const advice = { advice: `Usage: ${usageOf(command)}${choicesIn(command)}` };
  for (const { name } of command.positionals) {
    if (name.endsWith('..')) named[name.slice(0, -2)] = words.splice(0);
    else if (words.length > 0) named[name] = words.shift() as string;
  }
  refuseOthers(command, named);
  const missing = command.positionals.filter(({ name, required }) => required && named[name] === undefined);
  if (missing.length > 0) {
    const names = missing.map(placeholderOf);
    const what = names.length === 1 ? 'argument' : 'arguments';
    throw new OcislimError('USAGE', `missing ${what}: ${names.join(' and ')}`, advice);
  }
  if (words.length === 0) return named;
  const what = words.length === 1 ? 'an argument' : 'arguments';
  throw new OcislimError('USAGE', `${what} too many: ${words.map(quoted).join(' ')}`, advice);
}

/** Says which words an argument takes, where they are few: `(ACTION: serve)`. */
function choicesIn({ positionals }: Command): string {
  const listed = positionals.flatMap((each) =>
    each.choices === undefined ? [] : [`${placeholderOf(each)}: ${each.choices.join(', ')}`],
  );
  return listed.length === 0 ? '' : ` (${listed.join('; ')})`;
}

/** @throws USAGE for an argument with another word than it may be */
function refuseOthers({ name: command, positionals }: Command, named: Readonly<Record<string, Raw>>): void {
  for (const { name, choices } of positionals) {
    const word = named[name];
    if (choices === undefined || typeof word !== 'string' || choices.includes(word)) continue;
    const near = closestWord(word, choices);
    const wanted = choices.length === 1 ? choices.join('') : `one of ${choices.join(', ')}`;
    throw new OcislimError('USAGE', `unknown ${name}: ${command} ${quoted(word)}`, {
      advice: near === null ? `It takes ${wanted}.` : `Did you mean "ocislim ${command} ${near}"?`,
    });
  }
}

function quoted(word: string): string {
  return /^[\w./:@-]+$/.test(word) ? word : JSON.stringify(word);
}

/** Prints the version and, with --verbose, which gzip engine runs here. @throws what `findNative` throws */
function versionOf(given: Arguments, env: Environment): Run {
  return async ({ stdout }) => {
    const lines = [version];
    if (asks(given, 'verbose')) {
      const { describeNative, findNative } = await import('../codec/native.ts');
      lines.push(describeNative(findNative(env['OCISLIM_NATIVE'] ?? '')));
    }
    stdout.write(`${lines.join('\n')}\n`);
    return 0;
  };
}

async function printOverview({ stdout }: Console): Promise<number> {
  const { renderOverview } = await import('./help/overview.ts');
  stdout.write(renderOverview(commands, stdout));
  return 0;
}

async function printIntroduction({ stderr }: Console): Promise<number> {
  const { renderIntroduction } = await import('./help/overview.ts');
  stderr.write(renderIntroduction(stderr));
  return nothingDone;
}

async function printHelp(command: Command, all: boolean, { stdout, env }: Console): Promise<number> {
  const { renderHelp } = await import('./help/command-help.ts');
  stdout.write(renderHelp(command, { all, env, terminal: stdout }));
  return 0;
}
