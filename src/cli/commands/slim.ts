/** The command `slim`: all stages in one pass. Its defaults stand with the stages, in `settings/command-stages.ts`. */
import { slimOptions } from '../../settings/tables/commands.ts';
import { type Command, destination, source } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const slim: Command = defineRewriting({
  name: 'slim',
  describe: 'all stages in one pull and one push, with safe defaults',
  details:
    'Without options, removes what upper layers hide and the lists and caches of package managers, and compresses each layer better in the format that it has. Options add to that: --preset and --rule remove more; --last, --base or --all also squash; --compression chooses the format; --tune and --budget choose the levels. A plan (-f) takes the place of all these options.',
  positionals: [source, destination],
  rest: 'with --record: the command to run, in place of that of the image',
  options: slimOptions,
  examples: [
    ['ocislim slim localhost:5000/app:1 localhost:5000/app:1-slim', 'the safe defaults'],
    [
      'ocislim slim localhost:5000/app:1 -t localhost:5000/app:1-slim --preset docs,logs --last 4 --compression zstd --level 12',
      'more of everything',
    ],
    ['ocislim slim oci:app:1 oci:app:slim -f plan.yaml', 'by a plan, kept beside the Dockerfile'],
  ],
  load: async () => (await import('../../commands/index.ts')).slim,
});
