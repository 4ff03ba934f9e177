/** regctl as a contender. It recompresses and edits images from registry to registry. */
import { program, type Argv } from '../measure/command.ts';
import { prunedPaths, resultLayout, type Rival, type Task } from '../works/work.ts';

function hosts({ registry }: Task): Argv {
  return [registry.source, registry.target].flatMap((reference) => [
    '--host',
    `reg=${reference.split('/')[0]},tls=disabled`,
  ]);
}

const layouts = (task: Task): readonly [string, string] => [
  `ocidir://${task.layout}:v1`,
  `ocidir://${resultLayout(task)}:v1`,
];

function mod(options: Argv): (task: Task) => ReturnType<typeof program> {
  return (task) => {
    const [source, result] = layouts(task);
    return program('regctl', 'image', 'mod', source, '--create', result, ...options);
  };
}

const zstd = 'no level can be chosen; one layer after the other';

export const regctl: Rival = {
  name: 'regctl',
  programs: ['regctl'],
  versions: { regctl: ['regctl', 'version', '--format', '{{.VCSTag}}'] },
  contenders: [
    {
      work: 'zstd3',
      label: 'regctl image mod',
      differs: zstd,
      command: mod(['--layer-compress', 'zstd']),
    },
    {
      work: 'unzstd',
      label: 'regctl image mod',
      differs: zstd,
      command: mod(['--layer-compress', 'gzip']),
    },
    {
      work: 'registry-zstd3',
      label: 'regctl image mod',
      differs: zstd,
      command: (task) => {
        const { source, target } = task.registry;
        const options = ['--create', target, '--layer-compress', 'zstd', ...hosts(task)];
        return program('regctl', 'image', 'mod', source, ...options);
      },
    },
    {
      work: 'prune-rule',
      label: 'regctl image mod',
      dropsLayers: true,
      differs:
        'takes literal paths out of each layer by itself; markers and links are not looked at; empty layers go',
      command: mod(prunedPaths.flatMap((path) => ['--layer-strip-file', `/${path}`])),
    },
    {
      work: 'copy',
      label: 'regctl',
      command: (task) =>
        program('regctl', 'image', 'copy', task.registry.source, task.registry.target, ...hosts(task)),
    },
    {
      work: 'copy-layout',
      label: 'regctl',
      command: (task) => program('regctl', 'image', 'copy', ...layouts(task)),
    },
    { work: 'help', label: 'regctl', command: () => program('regctl', '--help') },
  ],
};
