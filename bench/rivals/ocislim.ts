/**
 * ocislim as a contender, in each of its ways to do a work. The first one that ran is what all others are compared
 * with.
 */
import { fileURLToPath } from 'node:url';
import { program, type Argv, type Command } from '../measure/command.ts';
import {
  prunedPaths,
  resultArchive,
  resultLayout,
  type Contender,
  type Rival,
  type Task,
  type WorkName,
} from '../works/work.ts';

const bin = fileURLToPath(new URL('../../bin/ocislim', import.meta.url));

/** Returns the command line of this very ocislim, after `npm run build`. */
export function ocislimArgv(...args: Argv): Argv {
  return [process.execPath, bin, ...args];
}

type Places = readonly [string, string];
const layouts = (task: Task): Places => [`oci:${task.layout}:v1`, `oci:${resultLayout(task)}:v1`];
const registries = ({ registry }: Task): Places => [registry.source, registry.target];
const archives = (task: Task): Places => [
  `docker-archive:${task.archive}`,
  `docker-archive:${resultArchive(task)}:squashed:v1`,
];

function can(
  work: WorkName,
  places: (task: Task) => readonly string[],
  [command = '', ...options]: Argv,
  label = 'ocislim',
): Contender {
  return {
    work,
    label,
    command: (task): Command => program(...ocislimArgv(command, ...places(task), ...options, '-q')),
  };
}

const rules = prunedPaths.flatMap((path) => ['--rule', path]);

/** The first contender of a work is the base of the comparison. */
export const ocislim: Rival = {
  name: 'ocislim',
  programs: [],
  versions: { ocislim: ocislimArgv('--version') },
  contenders: [
    can('zstd3', layouts, ['recompress', '--compression', 'zstd', '--level', '3']),
    can('zstd19', layouts, ['recompress', '--compression', 'zstd', '--level', '19']),
    can('gzip6', layouts, ['recompress', '--compression', 'gzip', '--level', '6']),
    can('gzip9', layouts, ['recompress', '--compression', 'gzip', '--level', '9']),
    can('small', layouts, ['recompress', '--compression', 'gzip', '--tune', 'small'], 'ocislim --tune small'),
    can('unzstd', layouts, ['recompress', '--compression', 'gzip', '--level', '6']),
    can('registry-zstd3', registries, ['recompress', '--compression', 'zstd', '--level', '3']),
    can('squash', registries, ['squash', '--all']),
    can(
      'squash',
      registries,
      ['squash', '--all', '--compression', 'gzip', '--level', '9'],
      'ocislim, gzip 9',
    ),
    can('squash-layout', layouts, ['squash', '--all']),
    can('squash-archive', archives, ['squash', '--all']),
    can('squash-last', archives, ['squash', '--last', '2']),
    can('prune-rule', layouts, ['prune', ...rules]),
    can('prune-shadowed', layouts, ['prune', '--shadowed']),
    can('analyse', (task) => [`docker-archive:${task.archive}`], ['analyze']),
    can('analyse-quick', (task) => [`docker-archive:${task.archive}`], ['analyze', '--quick']),
    can('copy', registries, ['copy']),
    can('copy-layout', layouts, ['copy']),
    { work: 'help', label: 'ocislim', command: () => program(...ocislimArgv('--help')) },
  ],
};
