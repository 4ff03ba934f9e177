import type { Digest } from '../../oci/digest.ts';
import { collect } from '../../stream/collect.ts';
import type { BlobCache } from './blob-cache.ts';

/**
 * Returns bytes that an earlier run derived from a tar and remembered under a recipe; null where the cache has lost them.
 * @param what the subject of error messages
 */
export async function recallDerived(
  cache: BlobCache,
  recipe: string,
  what: string,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const found = await cache.recipes.recall(recipe, signal);
  if (found === null) return null;
  await using stored = await cache.read(found, signal);
  return stored === null ? null : await collect(stored.read(), found.size, what);
}

/** Keeps bytes, and remembers them under a recipe. Never throws. `tar`: what they were derived from. */
export async function rememberDerived(
  cache: BlobCache,
  recipe: string,
  bytes: Uint8Array,
  tar: { readonly diffId: Digest | null; readonly tarBytes: number },
): Promise<void> {
  const digest = await cache.put(bytes);
  await cache.recipes.remember(recipe, {
    digest,
    size: bytes.length,
    // A recipe needs a DiffID. That of a tar that is not written yet is unknown, and these recipes are never asked for it.
    diffId: tar.diffId ?? digest,
    tarBytes: tar.tarBytes,
  });
}
