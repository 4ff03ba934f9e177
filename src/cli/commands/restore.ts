/** The command `restore`: the inverse of `prune`. The original is found by annotations of the pruned image, or by name. */
import { restoreOptions } from '../../settings/tables/commands.ts';
import { type Command, destination } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const restore: Command = defineRewriting({
  name: 'restore',
  describe: 'put pruned paths back from the original, as one small layer on top',
  details:
    'Compares a pruned image with its original, by the headers of all their layers, and adds one layer with everything that is missing or has lost permission bits, or only with what --path matches. The other layers stay the same. The pruned image names its original in annotations of its manifest (io.ocislim.original.digest and .name); --original names another place. A hard-linked file comes back under all its names, and a path with its parent directories. When nothing is missing any more, the annotations are removed, and "ocislim verify ORIGINAL RESULT" finds no difference but the hard links of --dedupe-hardlink, which stay. If there is nothing to restore, the result is the image itself.',
  positionals: [{ name: 'src', describe: 'the pruned image', required: true }, destination],
  options: restoreOptions,
  examples: [
    ['ocislim restore localhost:5000/app:1-slim localhost:5000/app:1-again', 'everything'],
    [
      'ocislim restore localhost:5000/app:1-slim -t localhost:5000/app:1-debug --path bin/sh --path "usr/share/zoneinfo/**"',
      'a shell and the time zones',
    ],
    ['ocislim restore oci:app:slim --dry-run --original localhost:5000/app:1', 'show what is missing'],
  ],
  load: async () => (await import('../../commands/index.ts')).restore,
});
