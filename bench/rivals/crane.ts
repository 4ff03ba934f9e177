import { program } from '../measure/command.ts';
import type { Rival } from '../works/work.ts';

export const crane: Rival = {
  name: 'crane',
  programs: ['crane'],
  versions: { crane: ['crane', 'version'] },
  contenders: [
    {
      work: 'squash',
      label: 'crane flatten',
      differs: 'always gzip 9, on one processor',
      command: ({ registry }) =>
        program('crane', 'flatten', '--insecure', registry.source, '-t', registry.target),
    },
    {
      work: 'copy',
      label: 'crane',
      command: ({ registry }) => program('crane', 'copy', '--insecure', registry.source, registry.target),
    },
    { work: 'help', label: 'crane', command: () => program('crane', '--help') },
  ],
};
