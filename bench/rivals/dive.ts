import { program } from '../measure/command.ts';
import type { Rival } from '../works/work.ts';

/** `go install` leaves no version for `dive --version`, but this one. */
const version = String.raw`grep -aoP 'mod\tgithub.com/wagoodman/dive\t\Kv[0-9.]+' "$(command -v dive)"`;

export const dive: Rival = {
  name: 'dive',
  programs: ['dive'],
  versions: { dive: ['sh', '-c', version] },
  contenders: [
    {
      work: 'analyse',
      label: 'dive --ci',
      differs: 'reports; ocislim works out what a pruning would write',
      // No rule fails: the analysis is what is timed.
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
