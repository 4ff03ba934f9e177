/**
 * Renders the pages of the commands, their table of contents, and the page of the options that commands share. A page leads with what is
 * special to its command. `write-docs.ts` calls it.
 */
import type { Command, Positional } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands/all.ts';
import { placeholderOf, usageOf } from '../../src/cli/usage.ts';
import { exitStatuses } from '../exit-statuses.ts';
import { grouped, listShared, optionTable, type PlacedOption, placedOptions } from './options.ts';
import { anchorOf, fenced, page, sentence, table, text, markdownOf } from './page.ts';

/** Pages of the guide about what a command does, as they are linked from docs/commands. */
const guides: Readonly<Record<string, readonly string[]>> = {
  slim: [
    '[quick start](../quick-start.md)',
    '[plans](../plans.md)',
    '[presets](../presets.md)',
    '[recipes](../recipes/README.md)',
  ],
  squash: [
    '[fewer layers](../squash.md)',
    '[a base image that stays shared](../recipes/many-layers.md)',
    '[replacing `docker build --squash`](../recipes/build-squash.md)',
    '[order and hard links](../order.md)',
  ],
  prune: [
    '[rules](../rules.md)',
    '[presets](../presets.md)',
    '[traces](../traces.md)',
    '[what stays](../closure.md)',
    '[undoing a `chown -R`](../recipes/chown.md)',
  ],
  relayer: ['[layers of which an update changes few](../relayer.md)'],
  recompress: ['[tuning](../tuning.md)', '[measurements](../measurements.md)'],
  restore: ['[restoring files](../restore.md)'],
  append: ['[building without a daemon](../build.md)'],
  build: ['[building without a daemon](../build.md)', '[changing the config](../config.md)'],
  rebase: ['[another base image](../rebase.md)', '[signatures, attestations, SBOMs](../referrers.md)'],
  config: ['[changing the config](../config.md)'],
  check: ['[gates for CI](../check.md)', '[recipes](../recipes/ci-gate.md)'],
  analyze: ['[look inside an image](../look-inside.md)'],
  diff: ['[comparing two images](../diff.md)'],
  copy: [
    '[references](../references.md)',
    '[air-gapped networks](../recipes/air-gap.md)',
    '[Docker, Podman and containerd](../recipes/engines.md)',
  ],
  sbom: ['[bills of materials](../sbom.md)'],
  history: ['[looking into an image](../files.md)'],
  inspect: ['[looking into an image](../files.md)'],
  ls: ['[looking into an image](../files.md)'],
  cat: ['[looking into an image](../files.md)'],
  trace: [
    '[recording a program](../recording.md)',
    '[traces](../traces.md)',
    '[attack surface and seccomp](../surface.md)',
  ],
  explore: ['[exploring an image](../explore.md)', '[rules](../rules.md)', '[presets](../presets.md)'],
  extract: ['[looking into an image](../files.md#files-and-directories)'],
  presets: ['[presets](../presets.md)', '[rules](../rules.md)'],
  fleet: ['[a whole registry](../fleet.md)'],
  registry: ['[registries](../registries.md)', '[air-gapped networks](../recipes/air-gap.md)'],
};

/** Returns the pages by their paths. */
export function commandPages(): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(
      commands.map((command) => [`docs/commands/${command.name}.md`, commandPage(command)]),
    ),
    'docs/commands/README.md': contents(),
    'docs/options.md': optionPage(),
  };
}

function contents(): string {
  return page([
    '# Commands',
    'One page for each command: what it does, examples, and the options that it alone has. Options that several commands share are on [their own page](../options.md).',
    table(
      ['Command', 'What it does'],
      commands.map(({ name, describe }) => [`[\`${name}\`](${name}.md)`, text(describe)]),
    ),
    '`ocislim help COMMAND` prints the same on the terminal, `ocislim COMMAND --help-all` with the shared options.',
    'Standard output has one line, the new image with its digest (`registry.example/app@sha256:…`), or with `--format json` the whole report. Everything else goes to standard error. The [exit statuses](../errors.md#exit-status) are those of all commands.',
  ]);
}

function optionPage(): string {
  const groups = grouped(listShared(), (option) => option);
  return page([
    '# Shared options',
    'Options that several commands have, each described once. The page of a command says which of them it takes.',
    'Every option can be set by the environment too: `OCISLIM_` and its name in capitals, `OCISLIM_JOBS=2` for `--jobs 2`. The command line wins. Variables that edit the image (`OCISLIM_USER`, `OCISLIM_ENV`, `OCISLIM_LABEL`) are told with the warning `ENVIRONMENT_USED`.',
    ...groups.flatMap(([group, options]) => [`## ${group}`, optionTable(options, '')]),
  ]);
}

function commandPage(command: Command): string {
  const { name, describe, details, positionals, examples } = command;
  const options = placedOptions(command);
  const own = options.filter(({ home }) => home === name);
  return page([
    `# ocislim ${name}`,
    sentence(describe),
    fenced('text', usageOf(command)),
    table(
      ['Argument', 'What it is'],
      positionals.map((each) => [`\`${placeholderOf(each)}\``, argumentText(each)]),
    ),
    '## Examples',
    ...examples.map(exampleText),
    '## What it does',
    markdownOf(details, 'commands'),
    guides[name] === undefined ? '' : `See also: ${guides[name].join(', ')}.`,
    ...grouped(own, ({ option }) => option).flatMap(([group, members]) => [
      `## ${group}`,
      optionTable(
        members.map(({ option }) => option),
        'commands',
      ),
    ]),
    ...otherOptions(options.filter(({ home }) => home !== name)),
    '## Exit status',
    table(['Status', 'Meaning'], exitStatuses(command)),
    'The codes in brackets that end an error line are in [errors](../errors.md).',
  ]);
}

function exampleText([line, does, needs]: Command['examples'][number]): string {
  const mark = needs === undefined ? [] : [`*Not run in the tests: needs ${needs}.*`];
  return [sentence(does), ...mark, fenced('sh', line)].join('\n\n');
}

/** Lists options that other pages describe, a row for each group of a page. */
function otherOptions(options: readonly PlacedOption[]): readonly string[] {
  if (options.length === 0) return [];
  const byPage = Map.groupBy(options, ({ option, home }) => `${home ?? ''}#${option.group}`);
  const rows = [...byPage].map(([key, members]) => {
    const [home = '', group = ''] = key.split('#');
    const names = members.map(({ option }) => `\`--${option.name}\``).join(', ');
    const [title, file] = home === '' ? ['shared options', '../options.md'] : [home, `${home}.md`];
    return [names, `[${title}: ${group}](${file}#${anchorOf(group)})`];
  });
  return ['## Options described elsewhere', table(['Options', 'Described in'], rows)];
}

function argumentText({ describe, choices = [] }: Positional): string {
  const listed = choices.map((choice) => `\`${choice}\``).join(', ');
  return text(describe) + (listed === '' ? '' : `: ${listed}`);
}
