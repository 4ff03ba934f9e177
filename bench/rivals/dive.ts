import { program } from '../measure/command.ts';
import type { Contender, Rival, WorkName } from '../works/work.ts';

/** `go install` leaves no version for `dive --version`, but this one. */
const version = String.raw`grep -aoP 'mod\tgithub.com/wagoodman/dive\t\Kv[0-9.]+' "$(command -v dive)"`;

/** Makes the contender of a work. No rule fails: the analysis is what is timed. */
function analysis(work: WorkName, differs: string): Contender {
  return {
    work,
    label: 'dive --ci',
    differs,
    command: ({ archive }) =>
      program(
        'dive',
        '--ci',
        '--lowestEfficiency=0',
        '--highestUserWastedPercent=1',
        `docker-archive://${archive}`,
      ),
  };
}

export const dive: Rival = {
  name: 'dive',
  programs: ['dive'],
  versions: { dive: ['sh', '-c', version] },
  contenders: [
    analysis(
      'analyse',
      'computes sizes and waste; ocislim also finds packages, copies, secrets and the attack surface',
    ),
    analysis(
      'analyse-quick',
      'reads and hashes all contents, which ocislim leaves out where layers are plain',
    ),
    { work: 'help', label: 'dive', command: () => program('dive', '--help') },
  ],
};
