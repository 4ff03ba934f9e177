/**
 * The form of references to images in registries (grammar of distribution/reference). A row of the table in reference.ts, and the
 * form of the names in Docker archives.
 */
import type { OcislimError } from '../../errors.ts';
import { type Digest, isDigest } from '../digest.ts';
import { isRepository, isTag } from '../names.ts';
import { digestAdvice, type Form, type Refuse } from './form.ts';
import { withoutSlashes } from './hints.ts';

export interface RegistryReference {
  readonly kind: 'registry';
  /** Host and port as people write them: `docker.io`, `localhost:5000`. */
  readonly host: string;
  readonly repository: string;
  readonly tag: string | null;
  /** Decides where it is given: the tag then says only where the digest comes from. */
  readonly digest: Digest | null;
  /** Whether the text ends in "@" alone: a destination that gets no tag and is found by the digest of what is written. */
  readonly untagged: boolean;
}

export const registryForm: Form<RegistryReference> = {
  prefix: 'docker://',
  syntax: 'registry.example/app:tag',
  isLocal: false,
  isWrittenWhole: false,
  promisesDigest: true,
  defaultName: 'latest',
  problemOf: () => null,
  parse: (rest, refuse) => [parseRegistry(rest, refuse)],
  format: ({ host, repository, tag, digest, untagged }) =>
    `${host}/${repository}${tag === null ? '' : `:${tag}`}${untagged ? '@' : digest === null ? '' : `@${digest}`}`,
  nameOf: ({ tag }) => tag,
  withName: (reference, tag) => ({ ...reference, tag, digest: null, untagged: false }),
  withDigest: (reference, digest) => ({ ...reference, digest, untagged: false }),
};

const hostPattern =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

/** Reads `[host/]repository[:tag][@digest]`, or `[host/]repository@`. Docker's rules tell hosts from repositories, and give Hub its defaults. */
export function parseRegistry(text: string, refuse: Refuse): RegistryReference {
  const [beforeDigest = '', afterAt = null, ...more] = text.split('@');
  const untagged = afterAt === '';
  const digest = untagged ? null : afterAt;
  if (more.length > 0 || (digest !== null && !isDigest(digest))) throw noDigest(beforeDigest, digest, refuse);
  const { host: written, path: named } = splitHost(beforeDigest);
  const host = written.toLowerCase();
  const { path, tag } = splitTag(named, refuse);
  const isHub = host === 'docker.io' || host === 'index.docker.io';
  const repository = isHub && !path.includes('/') ? `library/${path}` : path;
  // A host that no URL can hold (a port beyond 65535, `[1]`) is refused too.
  if (!hostPattern.test(host) || !URL.canParse(`https://${host}`))
    throw refuse(`${JSON.stringify(host)} is not a host name`);
  if (!isRepository(repository)) throw noRepository(text, path, refuse);
  if (untagged && tag !== null)
    throw refuse(
      'it has a tag, and the "@" of a destination without a tag',
      `Write ${beforeDigest} for the tag, or ${host}/${repository}@ to write by digest alone.`,
    );
  return { kind: 'registry', host: isHub ? 'docker.io' : host, repository, tag, digest, untagged };
}

function noDigest(before: string, digest: string | null, refuse: Refuse): OcislimError {
  const why = 'what follows "@" is not a sha256 or sha512 digest';
  if (digest !== null && /^sha[0-9]/i.test(digest)) return refuse(why, digestAdvice);
  // What has another colon may be a password.
  const isPlain = /^(?:[^:/]*(?::[0-9]+)?\/)?[^:]*$/.test(before);
  if (digest === null || !isTag(digest) || !isPlain) return refuse(why);
  return refuse(why, `A tag follows a colon: ${before}:${digest}`);
}

/** Says what is wrong with the name of a repository, and how to write it where that is known. */
function noRepository(text: string, path: string, refuse: Refuse): OcislimError {
  const name = withoutSlashes(text);
  if (name !== text) {
    return refuse(
      'it ends in a slash',
      `Write ${name} for an image in a registry, oci:${name} for a folder.`,
    );
  }
  const lower = path.toLowerCase();
  if (lower !== path && isRepository(lower))
    return refuse('repository names are lower case', `Write ${text.replace(path, lower)}`);
  const why = `${JSON.stringify(path)} is not a repository name${/\s/.test(path) ? ': it has white space' : ''}`;
  return /[^a-z0-9._/:@-]/.test(path) ? refuse(why, repositoryAdvice) : refuse(why);
}

/** Returns a name with its repository in lower case, where that makes a name of it; else null. */
export function inLowerCase(name: string): string | null {
  const { host, path } = splitHost(name);
  const [, repository = '', rest = ''] = /^([^:@]*)(.*)$/s.exec(path) ?? [];
  const lower = repository.toLowerCase();
  const isTagged = rest === '' || (rest.startsWith(':') && isTag(rest.slice(1)));
  if (lower === repository || !isRepository(lower) || !isTagged) return null;
  return `${name.startsWith(`${host}/`) ? `${host}/` : ''}${lower}${rest}`;
}

const repositoryAdvice =
  'A name has lower-case letters (a to z) and digits, with ".", "_" or "-" between them, and "/" between its parts.';

/** The part before the first slash is a host if it looks like one; otherwise the image is on Docker Hub. */
function splitHost(text: string): { host: string; path: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first.startsWith('[');
  return isHost ? { host: first, path: text.slice(slash + 1) } : { host: 'docker.io', path: text };
}

function splitTag(text: string, refuse: Refuse): { path: string; tag: string | null } {
  const colon = text.lastIndexOf(':');
  if (colon < 0 || text.includes('/', colon)) return { path: text, tag: null };
  const tag = text.slice(colon + 1);
  if (tag === '') throw refuse('"" is not a tag: none follows the ":"');
  if (!isTag(tag)) throw refuse(`${JSON.stringify(tag)} is not a tag`);
  return { path: text.slice(0, colon), tag };
}
