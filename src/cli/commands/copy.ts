/** The command `copy`. It has no stage: no layer is opened and the digest stays the same, but for docker-archives. */
import { copyOptions } from '../../settings/tables/commands.ts';
import { type Command, destination, source } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const copy: Command = defineRewriting({
  name: 'copy',
  describe: 'copy an image as it is, between registries, layouts and archives',
  details:
    'Copies an image or a whole index without changing a byte: the digest stays the same. Blobs that the destination has, or that can be mounted from another repository of the registry, are not transferred. There are three exceptions. In an OCI layout or archive, where most programs read nothing else, Docker manifests and lists become OCI ones, and a warning says so. A docker-archive gets uncompressed layers, since `docker load` needs them, and one image without the index around it: a warning names what is left out. From a docker-archive, whose layers `docker save` has unpacked, registries and OCI places get them packed as gzip 6, as `docker push` does; `--compression` decides otherwise.',
  positionals: [source, destination],
  options: copyOptions,
  examples: [
    ['ocislim copy localhost:5000/app:1 oci:app:1', 'from a registry into a folder'],
    ['ocislim copy oci-archive:app.tar:1 localhost:5000/app:1', 'from an archive into a registry'],
  ],
  load: async () => (await import('../../commands/index.ts')).copy,
});
