import { program } from '../measure/command.ts';
import type { Rival } from '../work/work.ts';

export const dive: Rival = {
  name: 'dive',
  programs: ['dive'],
  version: ['dive', '--version'],
  contenders: [
    {
      work: 'analyse',
      label: 'dive --ci',
      differs: 'reports; ocislim works out what a pruning would write',
      // No rule fails: what is timed is the analysis.
      command: ({ archive }) =>
        program(
          'dive',
          '--ci',
          '--lowestEfficiency=0',
          '--highestUserWastedPercent=1',
          `docker-archive://${archive}`,
        ),
    },
    { work: 'help', label: 'dive', command: () => program('dive', '--help') },
  ],
};
