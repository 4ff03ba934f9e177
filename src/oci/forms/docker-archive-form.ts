import type { Digest } from '../digest.ts';
import type { Form, Refuse } from './form.ts';
import { formatParts, type LocalParts, readingsOf } from './local-path.ts';
import { parseRegistry } from './registry-form.ts';

/** An image of a file that `docker save` writes. */
export interface DockerArchiveReference extends LocalParts {
  readonly kind: 'docker-archive';
  /** `repository:tag`. */
  readonly name: string | null;
  /** The digest of a manifest or, as Docker's image ID, of a config. */
  readonly digest: Digest | null;
  /** The row of manifest.json, from 0. */
  readonly position: number | null;
}

/** Such a file names its images by `repository:tag`. What is written into it is named so, and never by digest. */
export const dockerArchiveForm: Form<DockerArchiveReference> = {
  prefix: 'docker-archive:',
  syntax: 'docker-archive:FILE[:name:tag]',
  isLocal: true,
  isWrittenWhole: true,
  promisesDigest: false,
  defaultName: null,
  parse,
  format: (reference) => `docker-archive:${formatParts(reference)}`,
  nameOf: ({ name }) => name,
  withName: (reference, name) => ({ ...reference, name, digest: null, position: null }),
  withDigest: (reference) => reference,
};

/** Reads `FILE[:repository[:tag]][@digest|@N]`. Default tag: latest, as in `docker save`. */
function parse(rest: string, refuse: Refuse): readonly DockerArchiveReference[] {
  const isName = (name: string) => tagged(name, refuse) !== null;
  return readingsOf(rest, isName, refuse).map((parts) => ({
    kind: 'docker-archive',
    ...parts,
    name: parts.name === null ? null : tagged(parts.name, refuse),
  }));
}

/** Returns a name with its tag; null where the text does not name an image. */
function tagged(name: string, refuse: Refuse): string | null {
  try {
    const { tag, digest, untagged } = parseRegistry(name, refuse);
    return digest !== null || untagged ? null : tag === null ? `${name}:latest` : name;
  } catch {
    return null;
  }
}
