import { program, sequence } from '../measure/command.ts';
import { resultLayout, type Rival } from '../works/work.ts';

export const buildah: Rival = {
  name: 'buildah',
  programs: ['buildah'],
  versions: { buildah: ['buildah', '--version'] },
  contenders: [
    {
      work: 'squash-layout',
      label: 'buildah commit --squash',
      differs:
        'needs root and the space to unpack every layer (storage driver vfs); a container of its own first',
      command: (task) => {
        const storage = ['--root', `${task.folder}/storage`, '--runroot', `${task.folder}/running`];
        const buildah = ['buildah', ...storage, '--storage-driver', 'vfs'];
        const packed = ['--squash', '--disable-compression=false', '-q'];
        return sequence(
          [...buildah, 'from', '-q', '--name', 'work', `oci:${task.layout}:v1`],
          [...buildah, 'commit', ...packed, 'work', `oci:${resultLayout(task)}:v1`],
        );
      },
    },
    { work: 'help', label: 'buildah', command: () => program('buildah', '--help') },
  ],
};
