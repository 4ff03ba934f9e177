/**
 * Says what to write instead of a command or option that there is not: ours that was meant, or that which does what another tool's
 * word does. `parser.ts` loads it when a command line holds such a word.
 */
import { closestWord } from '../../closest-word.ts';
import { OcislimError } from '../../errors.ts';
import { listOptions } from '../../settings/option.ts';
import type { Command } from '../command.ts';
import { otherCommands } from './other-commands.ts';
import type { Advice } from './advice.ts';
import { otherOptions } from './other-options.ts';

/** Makes the error for a command that there is not. */
export function unknownCommand(word: string, commands: readonly Command[]): OcislimError {
  const advice = isImage(word)
    ? `A command comes before the image: ocislim slim ${word} DST.`
    : (adviceOnCommand(word, commands) ?? 'See "ocislim help" for all commands.');
  return new OcislimError('USAGE', `unknown command: ${shown(word)}`, { advice });
}

function adviceOnCommand(word: string, commands: readonly Command[]): string | null {
  const known = otherCommands.get(word.toLowerCase());
  if (known !== undefined) return known;
  const names = [...commands.map(({ name }) => name), 'help', 'version'];
  const actions = commands.find(({ positionals: [first] }) => first?.choices?.includes(word) === true);
  if (actions !== undefined) return `Write "ocislim ${actions.name} ${word}".`;
  const option = commands.find((command) => longOptions(command).includes(word));
  if (option !== undefined) return `--${word} is an option: see "ocislim help ${option.name}".`;
  const near = closestWord(word, names);
  return near === null ? null : `Did you mean ${near}?`;
}

/** Whether a word looks like an image, as other tools take it without a command. */
function isImage(word: string): boolean {
  return /[/:.@]/.test(word) && !word.startsWith('-');
}

/** An option as it was written, and the whole word that it stood in: `-p` in `-platform`. */
interface Stray {
  readonly written: string;
  readonly word: string;
}

/** Makes the error for an option that a command does not have. Without a command, for one that stands before it. */
export function unknownOption(
  { written, word }: Stray,
  command: Command | null,
  commands: readonly Command[],
): OcislimError {
  const own = command === null ? [...new Set(commands.flatMap(longOptions))] : longOptions(command);
  const misspelt = ofOneDash(word, own);
  const name = misspelt === null ? written : word.split('=', 1)[0];
  const advice =
    misspelt === null
      ? adviceOnOption(written, own, command, commands)
      : `Write it with two dashes: --${misspelt}.`;
  const help = command === null ? 'See "ocislim help".' : `See "ocislim help ${command.name}".`;
  return new OcislimError('USAGE', `unknown option: ${shown(name ?? written)}`, { advice: advice ?? help });
}

/** Finds the option that `-platform` means; null where the word has two dashes, or none is meant. */
function ofOneDash(word: string, names: readonly string[]): string | null {
  const [, name = ''] = /^-([a-z][a-z0-9-]{2,})(?:=|$)/.exec(word) ?? [];
  return names.includes(name) ? name : null;
}

function adviceOnOption(
  written: string,
  own: readonly string[],
  command: Command | null,
  commands: readonly Command[],
): string | null {
  const isLong = written.startsWith('--');
  const name = written.replace(/^--?/, '');
  const spelt = isLong ? sameWord(name, own) : undefined;
  if (spelt !== undefined) return `Write --${spelt}.`;
  const known = otherOptions.get(isLong ? name.toLowerCase() : written);
  const fitting = known?.find(({ option }) => option === undefined || own.includes(option)) ?? known?.[0];
  if (fitting !== undefined) return sayKnown(fitting, own, command, commands);
  if (!isLong) return null;
  const owners = commands.filter((each) => longOptions(each).includes(name));
  if (owners.length > 0) return `--${name} is an option of ${listed(owners.map((each) => each.name))}.`;
  const positive = name.replace(/^no-/, '');
  const names = [...own, 'help', 'help-all', 'version'];
  const near = closestWord(name, names) ?? (positive === name ? null : closestWord(positive, names));
  return near === null ? null : `Did you mean --${near}?`;
}

/** Finds the option of the same letters: `dryRun`, `dry_run`, `DRY-RUN`. */
function sameWord(name: string, names: readonly string[]): string | undefined {
  const letters = (text: string) => text.replaceAll(/[-_]/g, '').toLowerCase();
  return names.find((each) => each !== name && letters(each) === letters(name));
}

/** Chooses what to say of another tool's option: it depends on whether the command has the option that does the same. */
function sayKnown(
  { say, option, otherwise }: Advice,
  own: readonly string[],
  command: Command | null,
  commands: readonly Command[],
): string {
  if (option === undefined || own.includes(option)) return say;
  if (otherwise !== undefined) return otherwise;
  const owners = commands.filter((each) => longOptions(each).includes(option)).map((each) => each.name);
  return command === null || owners.length === 0
    ? say
    : `${say} It is an option of ${listed(owners)}, not of ${command.name}.`;
}

function longOptions({ options }: Command): string[] {
  return listOptions(options).flatMap(({ name, alias }) =>
    alias === undefined || alias.length === 1 ? [name] : [name, alias],
  );
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Shortens what may be a whole file, and quotes what would not be seen as a word. */
function shown(word: string): string {
  const short = word.length > 80 ? `${word.slice(0, 80)}…` : word;
  return /^\S+$/.test(short) ? short : JSON.stringify(short);
}
