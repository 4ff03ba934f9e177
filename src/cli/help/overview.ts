/**
 * What is shown without a command: examples of what people do, and with --help all commands. The examples use options and forms
 * that exist, which a test holds.
 */
import { version } from '../../commands/version.ts';
import type { Command } from '../command.ts';
import { commandLine, type Entry, paragraph, type Terminal, twoColumns, widthOfHelp } from './layout.ts';

/** What people do, each with a command line. */
export const purposes: readonly (readonly [purpose: string, line: string])[] = [
  ['see what could be saved; nothing is written', 'ocislim slim registry.example/app:1 --dry-run'],
  [
    'make an image smaller, with safe defaults',
    'ocislim slim registry.example/app:1 registry.example/app:1-slim',
  ],
  [
    'drop what later layers overwrite or delete; containers see no difference',
    'ocislim prune registry.example/app:1 registry.example/app:1-lossless --shadowed',
  ],
  [
    'merge the three topmost layers; those of the base image stay shared',
    'ocislim squash registry.example/app:1 registry.example/app:1-squashed --last 3',
  ],
  [
    'recompress with zstd',
    'ocislim recompress registry.example/app:1 registry.example/app:1-zstd --compression zstd',
  ],
  [
    'work on what "docker save" wrote, and give the result to "docker load"',
    'ocislim slim docker-archive:app.tar docker-archive:slim.tar:app:slim',
  ],
  [
    'prove that two images hold the same',
    'ocislim verify registry.example/app:1 registry.example/app:1-squashed',
  ],
];

/** How images are written. */
export const forms: readonly Entry[] = [
  ['registry.example/app:tag', 'in a registry; also app@sha256:…, and the short names of Docker Hub'],
  ['oci:DIR:tag', 'in a folder, an OCI image layout'],
  ['oci-archive:FILE:tag', 'the same in one file'],
  ['docker-archive:FILE', 'what "docker save" writes and "docker load" reads'],
];

/** What ocislim is, in a sentence. */
export const title =
  'ocislim makes container images smaller where they live, without a daemon and without root.';

/** Renders a first screen: what people do. */
export function renderIntroduction(terminal: Terminal): string {
  const width = widthOfHelp(terminal);
  return text([
    ...paragraph(title, width),
    '',
    ...doing(width),
    '',
    ...paragraph(
      'All commands: "ocislim help". One of them: "ocislim help slim". Other ways to write an image: oci:DIR:tag, oci-archive:FILE:tag, docker-archive:FILE.',
      width,
    ),
  ]);
}

/** Renders the help of the program: what people do, all commands, how images are written. */
export function renderOverview(commands: readonly Command[], terminal: Terminal): string {
  const width = widthOfHelp(terminal);
  return text([
    ...paragraph(title, width),
    '',
    'Usage: ocislim COMMAND SRC [DST] [options]',
    '',
    ...doing(width),
    '',
    'Commands:',
    ...twoColumns(
      [
        ...commands.map(({ name, describe }): Entry => [name, describe]),
        ['help COMMAND', 'show the help of a command; --help-all shows all of its options'],
        ['version', `show the version (${version})`],
      ],
      width,
    ),
    '',
    'How images are written:',
    ...twoColumns(forms, width),
    '',
    ...paragraph(
      'The last line of standard output is the new image with its digest; everything else goes to standard error. Exit status: 0 done, 1 failed, 2 wrong usage, 3 a gate failed, 5 published but something after that failed.',
      width,
    ),
  ]);
}

function doing(width: number): string[] {
  return purposes.flatMap(([purpose, line]) => [
    ...paragraph(`# ${purpose}`, width, '  '),
    ...commandLine(line, width),
  ]);
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
