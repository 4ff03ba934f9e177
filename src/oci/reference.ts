import { OcislimError } from '../errors.ts';
import { type Digest, isDigest } from './digest.ts';

/** Where an image is, as a person writes it. */
export type Reference =
  | RegistryReference
  | {
      readonly kind: 'layout';
      readonly path: string;
      readonly tag: string | null;
      readonly digest: Digest | null;
    }
  | {
      readonly kind: 'oci-archive';
      readonly path: string;
      readonly tag: string | null;
      readonly digest: Digest | null;
    }
  | {
      readonly kind: 'docker-archive';
      readonly path: string /** `name:tag` */;
      readonly name: string | null;
    };

export interface RegistryReference {
  readonly kind: 'registry';
  /** As people write it: `docker.io`, `localhost:5000`. */
  readonly host: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: Digest | null;
}

const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const hostPattern =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

const advice =
  'Write registry.example/app:tag, oci:DIR[:tag], oci-archive:FILE[:tag] or docker-archive:FILE[:name:tag].';

/**
 * Reads a reference (distribution/reference grammar for registries; containers' transport names for files).
 * @throws REFERENCE_INVALID
 */
export function parseReference(text: string): Reference {
  const colon = text.indexOf(':');
  const scheme = colon < 0 ? '' : text.slice(0, colon);
  const rest = text.slice(colon + 1);
  switch (scheme) {
    case 'oci':
      return { kind: 'layout', ...splitDigest(text, rest) };
    case 'oci-archive':
      return { kind: 'oci-archive', ...splitDigest(text, rest) };
    case 'docker-archive':
      return parseDockerArchive(text, rest);
    case 'docker':
      if (!rest.startsWith('//')) return parseRegistry(text, text);
      return parseRegistry(text, rest.slice(2));
    case 'docker-daemon':
      throw refuse(
        text,
        'ocislim works without a daemon',
        'Save the image first (docker save -o image.tar NAME) and use docker-archive:image.tar, or push it to a registry.',
      );
    case 'containers-storage':
      throw refuse(
        text,
        "ocislim does not read podman's local storage",
        'Save the image first (podman save --format oci-archive -o image.tar NAME) and use oci-archive:image.tar.',
      );
    case 'dir':
    case 'sif':
    case 'ostree':
    case 'http':
    case 'https':
      throw refuse(text, `the form "${scheme}:" is not known here`, advice);
    default:
      return parseRegistry(text, text);
  }
}

function refuse(text: string, why: string, how: string = advice): OcislimError {
  const shown = JSON.stringify(withoutPassword(text));
  return new OcislimError('REFERENCE_INVALID', `cannot use ${shown}: ${why}`, { advice: how });
}

/** For messages: a name that somebody wrote with a password in it (`user:password@host/app`), without that. */
export function withoutPassword(text: string): string {
  if (/^(?:oci|oci-archive|docker-archive):/.test(text)) return text;
  let at = text.lastIndexOf('@');
  // Before a digest it is the sign of the digest.
  if (/^@sha(?:256|512):/.test(text.slice(at, at + 8))) at = at === 0 ? -1 : text.lastIndexOf('@', at - 1);
  const colon = text.indexOf(':');
  return colon < 0 || colon > at ? text : `${text.slice(0, colon)}:***${text.slice(at)}`;
}

function splitDigest(
  text: string,
  rest: string,
): { path: string; tag: string | null; digest: Digest | null } {
  const atSign = rest.lastIndexOf('@');
  const digest = atSign < 0 ? null : rest.slice(atSign + 1);
  if (digest !== null && !isDigest(digest)) throw refuse(text, 'what follows "@" is not a digest');
  const { path, tag } = splitTag(text, atSign < 0 ? rest : rest.slice(0, atSign));
  return { path, tag, digest };
}

/** The tag is what follows the last colon, unless a slash follows it (then the colon belongs to the path). */
function splitTag(text: string, rest: string): { path: string; tag: string | null } {
  const colon = rest.lastIndexOf(':');
  const hasTag = colon >= 0 && !rest.slice(colon).includes('/');
  const path = hasTag ? rest.slice(0, colon) : rest;
  const tag = hasTag ? rest.slice(colon + 1) : null;
  if (path === '') throw refuse(text, 'the path is missing');
  // image-spec annotations.md allows more in org.opencontainers.image.ref.name than a registry does in a tag.
  if (tag !== null && !/^[A-Za-z0-9][A-Za-z0-9._+@/-]*$/.test(tag))
    throw refuse(text, `${JSON.stringify(tag)} is not a tag`);
  return { path, tag };
}

function parseDockerArchive(text: string, rest: string): Reference {
  const colon = rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const name = colon < 0 ? null : rest.slice(colon + 1);
  if (path === '') throw refuse(text, 'the path is missing');
  if (name !== null) {
    const parsed = parseRegistry(text, name);
    if (parsed.digest !== null) throw refuse(text, 'an archive names its images by tag, not by digest');
    return {
      kind: 'docker-archive',
      path,
      name: name.includes(':', name.lastIndexOf('/') + 1) ? name : `${name}:latest`,
    };
  }
  return { kind: 'docker-archive', path, name: null };
}

function parseRegistry(text: string, rest: string): RegistryReference {
  const [beforeDigest = '', digest = null, ...more] = rest.split('@');
  if (more.length > 0 || (digest !== null && !isDigest(digest)))
    throw refuse(text, 'what follows "@" is not a sha256 or sha512 digest');
  const slash = beforeDigest.indexOf('/');
  const first = slash < 0 ? '' : beforeDigest.slice(0, slash);
  const named = first.includes('.') || first.includes(':') || first === 'localhost' || first.startsWith('[');
  const host = named ? first : 'docker.io';
  let path = named ? beforeDigest.slice(slash + 1) : beforeDigest;
  let tag: string | null = null;
  const colon = path.lastIndexOf(':');
  if (colon >= 0 && !path.slice(colon).includes('/')) {
    tag = path.slice(colon + 1);
    path = path.slice(0, colon);
    if (!tagPattern.test(tag)) throw refuse(text, `${JSON.stringify(tag)} is not a tag`);
  }
  const hub = host === 'docker.io' || host === 'index.docker.io';
  const repository = hub && !path.includes('/') ? `library/${path}` : path;
  // What no URL can hold (a port beyond 65535, `[1]`) is no host, however it looks.
  if (!hostPattern.test(host) || !URL.canParse(`https://${host}`))
    throw refuse(text, `${JSON.stringify(host)} is not a host name`);
  if (path === '' || repository.length > 255 || !repositoryPattern.test(repository)) {
    throw refuse(
      text,
      /[A-Z]/.test(path)
        ? 'repository names are lower case'
        : `${JSON.stringify(path)} is not a repository name`,
    );
  }
  return {
    kind: 'registry',
    host: hub ? 'docker.io' : host,
    repository,
    tag,
    digest,
  };
}

/** The reference as it can be pasted back. */
export function formatReference(reference: Reference): string {
  switch (reference.kind) {
    case 'registry': {
      const { host, repository, tag, digest } = reference;
      return `${host}/${repository}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;
    }
    case 'layout':
    case 'oci-archive': {
      const { kind, path, tag, digest } = reference;
      return `${kind === 'layout' ? 'oci' : kind}:${path}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;
    }
    case 'docker-archive':
      return `docker-archive:${reference.path}${reference.name === null ? '' : `:${reference.name}`}`;
  }
}
