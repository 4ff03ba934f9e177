/** The command `append`: layers of files of this machine on top of an image. */
import { appendOptions } from '../../settings/tables/commands.ts';
import { type Command, destination, source } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const append: Command = defineRewriting({
  name: 'append',
  describe: 'add layers of files of this machine to an image',
  details:
    'Adds a layer for each --layer on top of an image, and of every image of an index unless --platform selects. The layers of the image keep their blobs and are not transferred where the destination has them. What is added has the same bytes on every machine: names decide about the order, the owner is 0:0 and the time that of SOURCE_DATE_EPOCH, or 1970, unless options say otherwise. Hard links, holes of sparse files and extended attributes stay; sockets are left out. Where a path in the image is given, the headers of its layers are read, to follow its symlinks and to keep the directories that it has; --cache-dir keeps them for the next run. Without a path no layer is read.',
  positionals: [source, destination],
  options: appendOptions,
  examples: [
    [
      'ocislim append localhost:5000/app:1 localhost:5000/app:1-site --layer site:/srv',
      'what is in a directory',
    ],
    [
      'ocislim append localhost:5000/app:1 oci:app:configured --layer app.conf:/etc/,chmod=600',
      'one file, which its owner alone may read',
    ],
    ['ocislim append oci:app:1 oci:app:2 --layer files.tar', 'a tar, as it is'],
  ],
  load: async () => (await import('../../commands/index.ts')).append,
});
