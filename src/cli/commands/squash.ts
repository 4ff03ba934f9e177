/** The command `squash`. Exactly one of its options must say which layers become one. */
import { squashOptions } from '../../settings/tables/commands.ts';
import { type Command, destination, source } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const squash: Command = defineRewriting({
  name: 'squash',
  describe: 'merge layers into one, or into fewer; the others stay shared',
  details:
    'Merges the selected layers into a single layer: files that a later layer of the range deleted or overwrote are gone, hard links stay hard links, and whiteouts stay where layers below need them. Layers outside the range keep their blobs and are not read, unless a hard link leads into them.',
  positionals: [source, destination],
  options: squashOptions,
  examples: [
    [
      'ocislim squash localhost:5000/app:1 localhost:5000/app:1-squashed --last 3',
      'merge the three topmost layers',
    ],
    [
      'ocislim squash localhost:5000/app:1 -t localhost:5000/app:1-slim --base localhost:5000/base:1',
      'merge everything above the base image',
    ],
    [
      'ocislim squash oci:app:1 oci:app:fewer --max-layers 100',
      'at most 100 layers, by the merges that later updates notice least',
    ],
    ['ocislim squash oci:app:1 oci:app:flat --all --compression zstd --level 19', 'one layer, packed small'],
  ],
  load: async () => (await import('../../commands/index.ts')).squash,
});
