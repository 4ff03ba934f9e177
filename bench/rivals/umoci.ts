import { program, sequence } from '../measure/command.ts';
import { resultLayout, type Rival } from '../works/work.ts';

export const umoci: Rival = {
  name: 'umoci',
  programs: ['umoci'],
  versions: { umoci: ['umoci', '--version'] },
  contenders: [
    {
      work: 'squash-layout',
      label: 'umoci unpack, insert',
      differs: 'needs root and the space to unpack; the result has no configuration and no history',
      command: (task) => {
        const [bundle, result] = [`${task.folder}/bundle`, resultLayout(task)];
        return sequence(
          ['umoci', 'unpack', '--image', `${task.layout}:v1`, bundle],
          ['umoci', 'init', '--layout', result],
          ['umoci', 'new', '--image', `${result}:v1`],
          ['umoci', 'insert', '--image', `${result}:v1`, `${bundle}/rootfs`, '/'],
        );
      },
    },
    { work: 'help', label: 'umoci', command: () => program('umoci', '--help') },
  ],
};
