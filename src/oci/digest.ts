import { createHash, type Hash } from 'node:crypto';
import { OcislimError } from '../errors.ts';

/** `sha256:<64 hex>` or `sha512:<128 hex>`, made only by the functions of this file. */
export type Digest = string & { readonly __brand: 'Digest' };

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && pattern.test(text);
}

/** @throws MANIFEST_INVALID naming `what` (image-spec descriptor.md, "Digests"). */
export function parseDigest(text: unknown, what: string): Digest {
  if (isDigest(text)) return text;
  throw new OcislimError(
    'MANIFEST_INVALID',
    `${what} is not a sha256 or sha512 digest: ${JSON.stringify(text)}`,
  );
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

export type Algorithm = 'sha256' | 'sha512';

export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Digest;
}

/** A running hash of the digest's own algorithm (sha256 unless told). */
export function hasher(like: Digest | null = null): Hasher {
  return hasherOf(like === null ? 'sha256' : algorithmOf(like));
}

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

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
