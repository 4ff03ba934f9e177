/** Names an image in words of its own, for bills of materials: package URLs have a name, and perhaps a repository. */
import { basename } from 'node:path';
import type { ImageName } from '../jobs/analyze/bill-image.ts';
import { formatReference, parseReference, type Reference } from '../oci/reference.ts';

/** Returns what a reference calls its image. Folders and archives name it by themselves, where no name inside them does. */
export function imageNameOf(reference: Reference): ImageName {
  const text = formatReference(reference);
  switch (reference.kind) {
    case 'registry': {
      const { host, repository, tag } = reference;
      return { reference: text, name: basename(repository), repository: `${host}/${repository}`, tag };
    }
    case 'layout':
    case 'oci-archive':
      return { reference: text, name: stemOf(reference.path), repository: null, tag: reference.tag };
    case 'docker-archive': {
      const { name, path } = reference;
      const named = name === null ? null : parseReference(name);
      return named?.kind === 'registry'
        ? { reference: text, name: basename(named.repository), repository: null, tag: named.tag }
        : { reference: text, name: stemOf(path), repository: null, tag: null };
    }
    case 'scratch':
      return { reference: text, name: 'scratch', repository: null, tag: null };
  }
}

/** Returns the name of a folder or archive without its suffix. */
function stemOf(path: string): string {
  return basename(path).replace(/\.(?:tar|tar\.gz|tgz|oci|zip)$/i, '');
}
