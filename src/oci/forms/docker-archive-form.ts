import type { Form, Refuse } from './form.ts';
import { parseRegistry } from './registry-form.ts';

/** An image of a file that `docker save` writes. */
export interface DockerArchiveReference {
  readonly kind: 'docker-archive';
  readonly path: string;
  /** `repository:tag`; null for the only image of the file. */
  readonly name: string | null;
}

/** Such a file names its images by `repository:tag`, and never by digest. */
export const dockerArchiveForm: Form<DockerArchiveReference> = {
  prefix: 'docker-archive:',
  syntax: 'docker-archive:FILE[:name:tag]',
  isLocal: true,
  isWrittenWhole: true,
  promisesDigest: false,
  defaultName: null,
  parse,
  format: ({ path, name }) => `docker-archive:${path}${name === null ? '' : `:${name}`}`,
  readings: (reference) => [reference],
  nameOf: ({ name }) => name,
  withName: (reference, name) => ({ ...reference, name }),
};

/** Reads `FILE[:repository[:tag]]`. Default tag: latest, as in `docker save`. */
function parse(rest: string, refuse: Refuse): DockerArchiveReference {
  const colon = rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  if (path === '') throw refuse('the path is missing');
  if (colon < 0) return { kind: 'docker-archive', path, name: null };
  const name = rest.slice(colon + 1);
  const { tag, digest } = parseRegistry(name, refuse);
  if (digest !== null) throw refuse('an archive names its images by tag, not by digest');
  return { kind: 'docker-archive', path, name: tag === null ? `${name}:latest` : name };
}
