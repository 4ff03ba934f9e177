/**
 * Makes the manual pages of ocislim from the tables that help and the documentation are made from: one of the program, and one of
 * each command. A release installs them.
 */
import type { Command } from '../../../src/cli/command.ts';
import { forms, purposes, title } from '../../../src/cli/help/overview.ts';
import { placeholderOf, usageOf } from '../../../src/cli/usage.ts';
import { listOptions, type NamedOption, valueOf } from '../../../src/settings/option.ts';
import { exitStatuses } from '../../exit-statuses.ts';
import type { Block, Page } from './roff.ts';

/** Makes the pages: the first is of the program. */
export function manualPages(commands: readonly Command[]): readonly Page[] {
  return [programPage(commands), ...commands.map((command) => commandPage(command, commands))];
}

function programPage(commands: readonly Command[]): Page {
  return {
    name: 'ocislim',
    purpose: 'rewrite container images without a daemon and without root',
    blocks: [
      section('Synopsis'),
      lines('ocislim COMMAND SRC [DST] [options]', 'ocislim help [COMMAND]', 'ocislim version'),
      section('Description'),
      paragraph(title),
      paragraph(
        'The last line of standard output is the new image with its digest; everything else goes to standard error.',
      ),
      section('Commands'),
      ...commands.map(({ name, describe }) =>
        entry(`ocislim ${name}`, `${sentence(describe)} See \`${pageOf(name)}\`(1).`),
      ),
      section('Images'),
      ...forms.map(([form, meaning]) => entry(form, sentence(meaning))),
      section('Examples'),
      ...purposes.flatMap(([purpose, line]) => [paragraph(sentence(purpose)), lines(line)]),
      section('Environment'),
      ...environment,
      section('Exit status'),
      ...programStatuses.map(([status, meaning]) => entry(status, sentence(meaning))),
      ...seeAlso(commands.map(({ name }) => pageOf(name))),
    ],
  };
}

const environment: readonly Block[] = [
  entry(
    'OCISLIM_…',
    'Every option can be set by the environment: `OCISLIM_` and its name in capitals, with _ for each dash. OCISLIM_JOBS=2 stands for `--jobs 2`. The command line wins. A warning names variables that edit the image, such as OCISLIM_USER.',
  ),
  entry(
    'OCISLIM_NATIVE',
    'Which engine packs and unpacks gzip: 0 for WebAssembly and zlib, 1 for the native engine or an error, or the absolute path of an engine. Default: the native engine where it is installed. The bytes are the same.',
  ),
  entry(
    'DOCKER_CONFIG, REGISTRY_AUTH_FILE, DOCKER_AUTH_CONFIG, XDG_RUNTIME_DIR',
    'Where credentials for registries are looked for, as other tools do.',
  ),
  entry('HTTP_PROXY, HTTPS_PROXY, NO_PROXY', 'The proxies for registries.'),
  entry('SSL_CERT_FILE, SSL_CERT_DIR', 'Certificates that are trusted beside the usual ones.'),
  entry('SOURCE_DATE_EPOCH', 'The time that new images state, in seconds since 1970.'),
  entry('NO_COLOR, FORCE_COLOR, CI, TMPDIR', 'As in other programs.'),
];

const programStatuses: readonly (readonly [string, string])[] = [
  ['0', 'done, or nothing to do'],
  ['1', 'failed; nothing was published'],
  ['2', 'the command line, a reference, a rule file or a plan cannot be understood'],
  ['3', 'a gate failed, such as a comparison or the wanted savings'],
  ['5', 'published, but something after that failed'],
  ['130, 143', 'interrupted; nothing was published'],
];

function commandPage(command: Command, commands: readonly Command[]): Page {
  const { name, describe, details, positionals, examples, rest } = command;
  const options = listOptions(command.options);
  const words = rest === undefined ? [] : [entry('COMMAND…', sentence(rest))];
  return {
    name: pageOf(name),
    purpose: describe,
    blocks: [
      section('Synopsis'),
      lines(usageOf(command)),
      section('Description'),
      paragraph(details),
      ...(positionals.length === 0 ? [] : [section('Arguments')]),
      ...positionals.map((each) => entry(placeholderOf(each), argumentText(each))),
      ...words,
      ...optionBlocks(options),
      section('Examples'),
      ...examples.flatMap(([line, does]) => [paragraph(sentence(does)), lines(line)]),
      section('Exit status'),
      ...exitStatuses(command).map(([status = '', meaning = '']) => entry(status, sentence(meaning))),
      ...seeAlso(
        ['ocislim', ...commands.map((other) => pageOf(other.name))].filter((page) => page !== pageOf(name)),
      ),
    ],
  };
}

function optionBlocks(options: readonly NamedOption[]): readonly Block[] {
  const groups = Map.groupBy(options, ({ group }) => group);
  const general = entry('-h, --help, --help-all', 'Show the help of the command; with all options.');
  return [
    section('Options'),
    ...[...groups].flatMap(([title, members]): readonly Block[] => [
      { kind: 'group', title },
      ...members.map((option) => entry(termOf(option), ...optionTexts(option))),
    ]),
    ...(options.length === 0 ? [] : [{ kind: 'group', title: 'Help' } as const]),
    general,
  ];
}

/** Writes an option as it is typed: `-t, --tag REF`. */
function termOf(option: NamedOption): string {
  const { name, alias } = option;
  const others = alias === undefined ? '' : alias.length === 1 ? `-${alias}, ` : `--${alias}, `;
  return `${others}--${name}${valueOf(option)}`;
}

function optionTexts({ describe, details, choices, default: value }: NamedOption): readonly string[] {
  const listed = choices === undefined ? [] : [`One of ${choices.join(', ')}.`];
  const shown = typeof value === 'boolean' ? (value ? 'on' : 'off') : value;
  const preset = shown === undefined ? [] : [`Default: ${shown}.`];
  return [
    [sentence(describe), ...listed, ...preset].join(' '),
    ...(details === undefined ? [] : [sentence(details)]),
  ];
}

function argumentText({ describe, choices }: Command['positionals'][number]): string {
  return choices === undefined ? sentence(describe) : `${sentence(describe)} One of ${choices.join(', ')}.`;
}

function seeAlso(pages: readonly string[]): readonly Block[] {
  return [section('See also'), paragraph(pages.map((page) => `\`${page}\`(1)`).join(', '))];
}

function pageOf(name: string): string {
  return `ocislim-${name}`;
}

function section(title: string): Block {
  return { kind: 'section', title };
}

function paragraph(text: string): Block {
  return { kind: 'paragraph', text };
}

function lines(...texts: readonly string[]): Block {
  return { kind: 'lines', lines: texts };
}

function entry(term: string, ...texts: readonly string[]): Block {
  return { kind: 'entry', term, texts };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.:]$/.test(text) ? '' : '.'}`;
}
