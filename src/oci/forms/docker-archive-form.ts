import type { OcislimError } from '../../errors.ts';
import type { Digest } from '../digest.ts';
import type { Form, Refuse } from './form.ts';
import { eitherAdvice, formatParts, type LocalParts, nameAndPosition, readingsOf } from './local-path.ts';
import { inLowerCase, parseRegistry } from './registry-form.ts';

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
  problemOf,
  format: (reference) => `docker-archive:${formatParts(reference)}`,
  nameOf: ({ name }) => name,
  withName: (reference, name) => ({ ...reference, name, digest: null, position: null }),
  withDigest: (reference) => reference,
};

/** Reads `FILE[:repository[:tag]][@digest|@N]`. Default tag: latest, as in `docker save`. */
function parse(rest: string, refuse: Refuse): readonly DockerArchiveReference[] {
  return readingsOf(rest, (name) => problemOf(name, rest, refuse), refuse).map((parts) => ({
    kind: 'docker-archive',
    ...parts,
    name: parts.name === null ? null : withTag(parts.name, refuse),
  }));
}

function problemOf(name: string, rest: string, refuse: Refuse): OcislimError | null {
  if (/@[0-9]+$/.test(name)) return refuse(nameAndPosition, eitherAdvice);
  try {
    return parseRegistry(name, refuse).untagged ? refuse('nothing follows the "@"') : null;
  } catch (error) {
    const lower = inLowerCase(name);
    if (lower === null) return error as OcislimError;
    const at = rest.lastIndexOf(name);
    const whole = `${rest.slice(0, at)}${lower}${rest.slice(at + name.length)}`;
    return refuse('repository names are lower case', `Write docker-archive:${whole}`);
  }
}

function withTag(name: string, refuse: Refuse): string {
  return parseRegistry(name, refuse).tag === null ? `${name}:latest` : name;
}
