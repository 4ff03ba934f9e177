import { type Digest, isDigest } from '../../oci/digest.ts';
import { isRepository, isTag } from '../../oci/names.ts';
import { Fault } from './fault.ts';

/** A tag or a digest, told apart. */
export type Name =
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'digest'; readonly digest: Digest };

/** What a request is about (distribution-spec, "Endpoints"). */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly name: Name }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly session: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: Digest };

/**
 * Reads a path; null is an unknown one. Nothing but validated names, tags and digests comes out.
 * @throws Fault NAME_INVALID, DIGEST_INVALID, TAG_INVALID
 */
export function parseRoute(rawPath: string): Route | null {
  const path = decode(rawPath);
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  for (const [pattern, make] of patterns) {
    const [found, name = '', last = ''] = pattern.exec(path) ?? [];
    if (found === undefined) continue;
    if (!isRepository(name)) {
      throw new Fault('NAME_INVALID', 'invalid repository name', { detail: { name: printable(name) } });
    }
    return make(name, last);
  }
  return null;
}

/** Greedy at the start: a repository may be called "blobs" too. The order matters. */
const patterns: readonly (readonly [RegExp, (repository: string, last: string) => Route])[] = [
  [/^\/v2\/(.+)\/tags\/list$/, (repository) => ({ kind: 'tags', repository })],
  [
    /^\/v2\/(.+)\/manifests\/([^/]+)$/,
    (repository, last) => ({ kind: 'manifest', repository, name: parseName(last) }),
  ],
  [
    /^\/v2\/(.+)\/referrers\/([^/]+)$/,
    (repository, last) => ({ kind: 'referrers', repository, digest: parseDigest(last) }),
  ],
  [/^\/v2\/(.+)\/blobs\/uploads\/?$/, (repository) => ({ kind: 'uploads', repository })],
  [
    /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
    (repository, session) => ({ kind: 'upload', repository, session }),
  ],
  [
    /^\/v2\/(.+)\/blobs\/([^/]+)$/,
    (repository, last) => ({ kind: 'blob', repository, digest: parseDigest(last) }),
  ],
];

function parseName(text: string): Name {
  if (text.includes(':')) return { kind: 'digest', digest: parseDigest(text) };
  if (isTag(text)) return { kind: 'tag', tag: text };
  throw new Fault('TAG_INVALID', 'invalid tag', { detail: { tag: printable(text) } });
}

/** @throws Fault DIGEST_INVALID */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new Fault('DIGEST_INVALID', 'not a sha256 or sha512 digest', { detail: { digest: printable(text) } });
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

/** What a client sent, before it goes back: short, and without control characters. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
