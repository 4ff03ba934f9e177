/**
 * skopeo as a contender. It copies and recompresses images in every form, and passes layers on that already have
 * the format.
 */
import { program, sequence, type Argv, type Command } from '../measure/command.ts';
import { resultLayout, type Contender, type Rival, type Task, type WorkName } from '../works/work.ts';

const plainHttp = ['--src-tls-verify=false', '--dest-tls-verify=false'];

function copy(...args: Argv): Argv {
  return ['skopeo', '--insecure-policy', 'copy', '-q', ...args];
}

function layouts(...options: Argv): (task: Task) => Command {
  return (task) => program(...copy(...options, `oci:${task.layout}:v1`, `oci:${resultLayout(task)}:v1`));
}

function registries(...options: Argv): (task: Task) => Command {
  return ({ registry }) =>
    program(...copy(...plainHttp, ...options, `docker://${registry.source}`, `docker://${registry.target}`));
}

const pack = (format: string, level: number): Argv => [
  '--dest-compress-format',
  format,
  '--dest-compress-level',
  String(level),
];

/**
 * Recompresses to gzip: skopeo leaves layers alone that already have the format, so one command unpacks, and a
 * second one packs.
 */
function regzip(work: WorkName, level: number): Contender {
  return {
    work,
    label: 'skopeo, twice',
    differs: 'two commands: by itself skopeo does not pack gzip as gzip',
    command: (task) =>
      sequence(
        copy('--dest-decompress', `oci:${task.layout}:v1`, `dir:${task.folder}/plain`),
        copy(...pack('gzip', level), `dir:${task.folder}/plain`, `oci:${resultLayout(task)}:v1`),
      ),
  };
}

export const skopeo: Rival = {
  name: 'skopeo',
  programs: ['skopeo'],
  versions: { skopeo: ['skopeo', '--version'] },
  contenders: [
    { work: 'zstd3', label: 'skopeo', command: layouts(...pack('zstd', 3)) },
    {
      work: 'zstd19',
      label: 'skopeo',
      differs: 'its encoder has four presets; 19 is the highest of them, far from what zstd -19 gives',
      command: layouts(...pack('zstd', 19)),
    },
    regzip('gzip6', 6),
    regzip('gzip9', 9),
    { work: 'unzstd', label: 'skopeo', command: layouts(...pack('gzip', 6)) },
    { work: 'registry-zstd3', label: 'skopeo', command: registries(...pack('zstd', 3)) },
    { work: 'copy', label: 'skopeo', command: registries() },
    { work: 'copy-layout', label: 'skopeo', command: layouts() },
    { work: 'help', label: 'skopeo', command: () => program('skopeo', '--help') },
  ],
};
