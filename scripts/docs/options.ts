/**
 * Decides on which page each option is described: once, on the page of the command that it is about, or on docs/options.md where
 * it is about no command in particular. The pages of commands and of options are made by it.
 */
import type { Command } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands/all.ts';
import { nameOf, type NamedOption, type Option, type Options, valueOf } from '../../src/settings/option.ts';
import { reaching } from '../../src/settings/tables/commands.ts';
import { arranging, squashSelection } from '../../src/settings/tables/layers.ts';
import { attesting } from '../../src/settings/tables/attesting.ts';
import { reports } from '../../src/settings/tables/reports.ts';
import { checking, debugging, result } from '../../src/settings/tables/result.ts';
import { table, text, markdownOf } from './page.ts';

/** The options of docs/options.md, by the names of their settings. */
const sharedOptions: Options = {
  ...result,
  ...checking,
  ...debugging,
  ...arranging,
  ...reports,
  ...attesting,
  ...reaching,
};

/** Commands in the order in which they are asked whether an option is theirs. The others follow. */
const owners = ['config', 'recompress', 'prune', 'slim'];

/** An option of a command, and the command on whose page it is described; null for docs/options.md. */
export interface PlacedOption {
  readonly option: NamedOption;
  readonly home: string | null;
}

/** Returns the options of a command in the order of its help, each with its home. */
export function placedOptions(command: Command): readonly PlacedOption[] {
  return named(command.options).map(([option, source]) => ({ option, home: homeOf(source) }));
}

/** Lists options of a table that the command line has, with their names, each beside the object of its table. */
function named(options: Options): readonly (readonly [NamedOption, Option])[] {
  return Object.entries(options)
    .filter(([, { variable }]) => variable === undefined)
    .map(([key, option]) => [{ ...option, name: nameOf(key, option) }, option]);
}

/** Finds the page of an option. Commands share an option where their tables hold the same object. */
function homeOf(option: Option): string | null {
  if (Object.values(sharedOptions).includes(option)) return null;
  if (Object.values<Option>(squashSelection).includes(option)) return 'squash';
  const rank = ({ name }: Command): number => (owners.indexOf(name) + 100) % 100;
  const [first] = commands
    .filter((command) => Object.values(command.options).includes(option))
    .toSorted((a, b) => rank(a) - rank(b));
  return first?.name ?? null;
}

/** Groups options in the order in which their groups first appear. */
export function grouped<Item>(
  items: readonly Item[],
  optionOf: (item: Item) => NamedOption,
): readonly (readonly [string, readonly Item[]])[] {
  return [...Map.groupBy(items, (item) => optionOf(item).group)];
}

/** Renders the table of options of one group for a page in this folder of docs/. */
export function optionTable(options: readonly NamedOption[], folder: '' | 'commands'): string {
  return table(
    ['Option', 'What it does', 'Default'],
    options.map((option) => [
      optionName(option),
      markdownOf(optionText(option), folder),
      option.default === undefined ? '' : `\`${String(option.default)}\``,
    ]),
  );
}

/** Lists the shared options with their names. */
export function listShared(): readonly NamedOption[] {
  return named(sharedOptions).map(([option]) => option);
}

function optionName(option: NamedOption): string {
  const { name, alias, value } = option;
  const short = alias === undefined ? '' : alias.length === 1 ? `-${alias}, ` : `--${alias}, `;
  return `\`${short}--${name}${value === undefined ? '' : valueOf(option).replaceAll('|', '\\|')}\``;
}

function optionText({ describe, details, choices }: NamedOption): string {
  const listed = choices === undefined ? '' : `: ${choices.map((choice) => `\`${choice}\``).join(', ')}`;
  return [text(describe) + listed, ...(details === undefined ? [] : [text(details)])].join('. ');
}
