import { type Command, destination, source } from '../command.ts';
import { rewriting } from '../options/common-options.ts';

export const copy: Command = {
  name: 'copy',
  describe: 'copy an image as it is, between registries, layouts and archives',
  details:
    'Copies an image or a whole index without changing a byte: the digest stays. Blobs that are there already, or that can be mounted from another repository of the registry, are not transferred.',
  positionals: [source, destination],
  options: rewriting,
  examples: [
    ['ocislim copy localhost:5000/app:1 oci:app:1', 'from a registry into a folder'],
    ['ocislim copy oci-archive:app.tar:1 localhost:5000/app:1', 'from an archive into a registry'],
  ],
  async run(values, console) {
    const { identity, rewrite } = await import('../rewrite/rewrite.ts');
    return rewrite('copy', values, console, () => Promise.resolve(identity));
  },
};
