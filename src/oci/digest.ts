/**
 * Digests of blobs and manifests (image-spec descriptor.md, "Digests"): read, computed, and taken apart. All that is addressed by
 * its content goes through here.
 */
import { createHash, type Hash } from 'node:crypto';
import { OcislimError } from '../errors.ts';

/**
 * `sha256:<64 hex>` or `sha512:<128 hex>`. Only the functions of this file make one,
 * so a digest can become a path or a URL without another check.
 */
export type Digest = string & { readonly __brand: 'Digest' };

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && pattern.test(text);
}

/**
 * Reads a digest.
 * @param what the subject of error messages: "the digest of layer 3"
 * @throws MANIFEST_INVALID for anything but a sha256 or sha512 digest in lower case
 */
export function parseDigest(text: unknown, what: string): Digest {
  if (isDigest(text)) return text;
  throw new OcislimError(
    'MANIFEST_INVALID',
    `${what} is not a sha256 or sha512 digest: ${JSON.stringify(text)}`,
  );
}

/** Computes the sha256 of bytes in memory. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

export type Algorithm = 'sha256' | 'sha512';

/** A running hash. `digest` ends it: nothing may be called after. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Digest;
}

/** Begins a hash by the algorithm of another digest, to compare with that. Default: sha256. */
export function hasher(like: Digest | null = null): Hasher {
  return hasherOf(like === null ? 'sha256' : algorithmOf(like));
}

/** Begins a hash by a named algorithm. */
export function hasherOf(algorithm: Algorithm): Hasher {
  const hash: Hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => `${algorithm}:${hash.digest('hex')}` as Digest,
  };
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

/** Returns the part after the algorithm: lower-case hexadecimal digits. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
