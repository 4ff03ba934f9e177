/** The command `prune`. What its rules mean is in `settings/stages.ts`. */
import { pruneOptions } from '../../settings/tables/commands.ts';
import { type Command, destination, source } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const prune: Command = defineRewriting({
  name: 'prune',
  describe: 'remove files by rule, by trace or because upper layers hide them; keep the layers',
  details:
    'Removes files from the layers that hold them, so that their bytes are really gone. Rules match every entry of the selected layers, visible or hidden by a layer above. A removed path never comes back from a layer below. --trace keeps what an application used, and what that needs to run: docs/closure.md has the rules. --shadowed alone makes no difference that a container can see. The report lists every removed path.',
  positionals: [source, destination],
  options: pruneOptions,
  examples: [
    [
      'ocislim prune localhost:5000/app:1 localhost:5000/app:1-slim --shadowed',
      'lossless: drop what is overwritten or deleted by later layers',
    ],
    [
      'ocislim prune localhost:5000/app:1 -t localhost:5000/app:1-slim --preset apt-lists,docs --keep "usr/share/doc/*/copyright"',
      'by preset',
    ],
    [
      'ocislim prune oci:app:1 oci:app:slim --trace app.trace --keep-command "curl -f localhost"',
      'keep what the application used, what that needs, and a probe',
    ],
    ['ocislim prune oci:app:1 --dry-run --rule "**/*.pyc"', 'show what a rule would remove'],
  ],
  load: async () => (await import('../../commands/index.ts')).prune,
});
