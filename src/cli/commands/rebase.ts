/** The command `rebase`: the layers of an application on another base image, after a look at whether they would work there. */
import { rebaseOptions } from '../../settings/tables/commands.ts';
import { type Command, destination, source } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const rebase: Command = defineRewriting({
  name: 'rebase',
  describe: 'put an image on another base, if its programs would still run there',
  details:
    'Replaces the layers of the base that an image was built on by those of another base, platform by platform, and builds nothing: the layers of the application stay as they are, byte for byte. Before anything is written, the files of the image, of both bases and of the result are compared: interpreters, shared libraries and the versions of their symbols, programs and users of the config, modules of languages, symlinks. What worked before and would not on the new base is named with the files that need it, and ends the command with status 3, unless --force. The config keeps what the application changed, and has the new values of the base for the rest. The old base is found by annotations and labels of the image (org.opencontainers.image.base.name and .digest, those of buildpacks); --old-base names it otherwise, and where its image is gone, --old-base-layers says how many layers are its. See docs/rebase.md.',
  positionals: [source, destination],
  options: rebaseOptions,
  examples: [
    [
      'ocislim rebase localhost:5000/app:1 localhost:5000/app:1-patched --old-base localhost:5000/base:1 --new-base localhost:5000/base:2',
      'on a newer base; without --old-base the image says what its old one is',
    ],
    [
      'ocislim rebase localhost:5000/app:1 --old-base localhost:5000/base:1 --new-base localhost:5000/base:2 --dry-run --report rebase.md',
      'show what would be missing',
    ],
  ],
  load: async () => (await import('../../commands/index.ts')).rebase,
});
