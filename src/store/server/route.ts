/**
 * The endpoints of the distribution-spec as data: a path is read into a route, which holds validated names, tags and digests only.
 * Called by handle-request.ts for each request.
 */
import { type Digest, isDigest } from '../../oci/digest.ts';
import { isRepository, isTag } from '../../oci/names.ts';
import { Refusal } from './refusal.ts';

/** The last part of a manifest's path, which the specification calls a reference. */
export type TagOrDigest =
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'digest'; readonly digest: Digest };

/** The endpoint of a request, with what its path names (distribution-spec, "Endpoints"). */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly name: TagOrDigest }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly session: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: Digest };

/** Reads a path; null for an unknown endpoint. @throws Refusal NAME_INVALID, DIGEST_INVALID, TAG_INVALID */
export function parseRoute(rawPath: string): Route | null {
  const path = decode(rawPath);
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  for (const [pattern, make] of patterns) {
    const [found, name = '', last = ''] = pattern.exec(path) ?? [];
    if (found === undefined) continue;
    if (!isRepository(name)) {
      throw new Refusal('NAME_INVALID', 'invalid repository name', { detail: { name: printable(name) } });
    }
    return make(name, last);
  }
  return null;
}

/** Patterns in the order in which they are tried. They are greedy at the start, since a repository may be called "blobs". */
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

function parseName(text: string): TagOrDigest {
  if (text.includes(':')) return { kind: 'digest', digest: parseDigest(text) };
  if (isTag(text)) return { kind: 'tag', tag: text };
  throw new Refusal('TAG_INVALID', 'invalid tag', { detail: { tag: printable(text) } });
}

/** Reads a digest out of a path or a query. @throws Refusal DIGEST_INVALID */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new Refusal('DIGEST_INVALID', 'not a sha256 or sha512 digest', {
    detail: { digest: printable(text) },
  });
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

/** Makes a client's text fit to be sent back: short, and without control characters. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
