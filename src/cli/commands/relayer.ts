/** The command `relayer`. What goes into which layer is decided in the room `relayer`, once all headers have been read. */
import { relayerOptions } from '../../settings/tables/commands.ts';
import { type Command, destination, source } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const relayer: Command = defineRewriting({
  name: 'relayer',
  describe: 'lay an image out as layers of which an update changes few',
  details:
    'Writes new layers, each with the files of some packages, directories or large files: of an update, clients then download the layers in which something changed. The files themselves stay as they are, down to owners, times and hard links. With --previous, what was in one layer stays together. With --base, the layers of the base image stay.',
  positionals: [source, destination],
  options: relayerOptions,
  examples: [
    ['ocislim relayer localhost:5000/app:1 localhost:5000/app:1-layers', 'up to 64 layers, by packages'],
    [
      'ocislim relayer localhost:5000/app:1 -t localhost:5000/app:2-layers --previous localhost:5000/app:1',
      'as the version before, wherever nothing changed',
    ],
    [
      'ocislim relayer localhost:5000/app:1 localhost:5000/app:1-above --base localhost:5000/base:1 --max-layers 32',
      'keep the layers of the base image',
    ],
  ],
  load: async () => (await import('../../commands/index.ts')).relayer,
});
