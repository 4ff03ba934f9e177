import { copyOptions } from '../../settings/tables/commands.ts';
import { type Command, defineCommand, destination, source } from '../command.ts';
import { checkDestination, runRewriting } from '../rewriting.ts';

export const copy: Command = defineCommand({
  name: 'copy',
  describe: 'copy an image as it is, between registries, layouts and archives',
  details:
    'Copies an image or a whole index without changing a byte: the digest stays the same. Blobs that the destination has, or that can be mounted from another repository of the registry, are not transferred.',
  positionals: [source, destination],
  options: copyOptions,
  examples: [
    ['ocislim copy localhost:5000/app:1 oci:app:1', 'from a registry into a folder'],
    ['ocislim copy oci-archive:app.tar:1 localhost:5000/app:1', 'from an archive into a registry'],
  ],
  check: checkDestination,
  async run(call) {
    const { copy: command } = await import('../../commands/index.ts');
    return runRewriting(command, call);
  },
});
