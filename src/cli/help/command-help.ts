/**
 * The help of one command, made from its data: what it does, examples, arguments, options with their defaults. `parser.ts` prints
 * it for `--help`, `--help-all` and `help COMMAND`.
 */
import { type Environment, variableOf } from '../../settings/command-line.ts';
import { listOptions, type NamedOption, valueOf } from '../../settings/option.ts';
import { reaching } from '../../settings/tables/commands.ts';
import { attesting } from '../../settings/tables/attesting.ts';
import { reports } from '../../settings/tables/reports.ts';
import type { Command } from '../command.ts';
import { placeholderOf, usageOf } from '../usage.ts';
import {
  columnOf,
  commandLine,
  type Entry,
  paragraph,
  type Terminal,
  twoColumns,
  widthOfHelp,
} from './layout.ts';

/** How help is shown. */
interface HelpOptions {
  /** Whether to show the options that most commands share. */
  readonly all: boolean;
  /** Shows which defaults come from there. */
  readonly env: Environment;
  readonly terminal: Terminal;
}

/** The names of options that most commands share. They are shown on request. */
const shared: ReadonlySet<string> = new Set(
  listOptions({ ...reports, ...attesting, ...reaching }).map(({ name }) => name),
);

/** Renders the help of a command. */
export function renderHelp(command: Command, { all, env, terminal }: HelpOptions): string {
  const width = widthOfHelp(terminal);
  const options = listOptions(command.options);
  const isShared = ({ name, group }: NamedOption): boolean =>
    shared.has(name) || (group === 'Config' && command.leads?.includes(group) !== true);
  const own = options.filter((option) => !isShared(option));
  const others = options.filter(isShared);
  const shown = all ? [...own, ...others] : own;
  const column = columnOf(
    shown.map((option) => [nameOf(option), '']),
    width,
  );
  const lines = [
    ...paragraph(sentence(command.describe), width),
    '',
    ...paragraph(`Usage: ${usageOf(command)}`, width),
    '',
    ...paragraph(command.details, width),
    '',
    'Examples:',
    ...examples(command, width),
    ...argumentsOf(command, width),
    ...groupsOf(shown).flatMap(([group, members]) => [
      '',
      `${group}:`,
      ...twoColumns(
        members.map((option): Entry => [nameOf(option), meaningOf(option, env)]),
        width,
        column,
      ),
    ]),
    ...(all ? environmentRemark(options, width) : otherOptions(command, others, width)),
  ];
  return `${lines.join('\n')}\n`;
}

function examples({ examples: list }: Command, width: number): string[] {
  return list.flatMap(([line, does]) => [
    ...paragraph(`# ${does}`, width, '  '),
    ...commandLine(line, width),
  ]);
}

function argumentsOf({ positionals, rest }: Command, width: number): string[] {
  const entries = positionals.map((each): Entry => [placeholderOf(each), each.describe]);
  if (rest !== undefined) entries.push(['COMMAND…', rest]);
  return entries.length === 0 ? [] : ['', 'Arguments:', ...twoColumns(entries, width)];
}

/** Tells of the options that are not shown, each kind with a few of them. */
function otherOptions({ name }: Command, others: readonly NamedOption[], width: number): string[] {
  if (others.length === 0) return [];
  const kinds = groupsOf(others).map(([group, members]): Entry => {
    const few = members.slice(0, 4).map((option) => `--${option.name}`);
    return [group, [...few, ...(members.length > few.length ? ['…'] : [])].join(', ')];
  });
  return ['', `More options, shown by "ocislim ${name} --help-all":`, ...twoColumns(kinds, width)];
}

function environmentRemark(options: readonly NamedOption[], width: number): string[] {
  const [first] = options.filter(({ value }) => value === 'N');
  if (first === undefined) return [];
  const remark = `The environment can set every option: ${variableOf(first.name)}=2 stands for --${first.name} 2.`;
  return ['', ...paragraph(remark, width)];
}

function groupsOf(options: readonly NamedOption[]): [string, NamedOption[]][] {
  return [...Map.groupBy(options, ({ group }) => group)];
}

/** Writes an option as it is typed: `-t, --tag REF`. */
function nameOf(option: NamedOption): string {
  const { name, alias } = option;
  const short = alias?.length === 1 ? `-${alias}, ` : '';
  return `${short}--${name}${valueOf(option)}`;
}

/** Says what an option does, its choices and its default. A value from the environment is named, not shown: it may be a secret. */
function meaningOf(option: NamedOption, env: Environment): string {
  const { describe, choices, alias, default: value } = option;
  const parts = [
    ...(choices === undefined ? [] : [choices.join(', ')]),
    ...(alias === undefined || alias.length === 1 ? [] : [`also --${alias}`]),
    ...defaultOf(option.name, value, env),
  ];
  return parts.length === 0 ? describe : `${describe} [${parts.join('; ')}]`;
}

function defaultOf(name: string, value: NamedOption['default'], env: Environment): string[] {
  const variable = variableOf(name);
  if ((env[variable] ?? '') !== '') return [`set by $${variable}`];
  if (value === undefined) return [];
  return [`default: ${typeof value === 'boolean' ? (value ? 'on' : 'off') : value}`];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
