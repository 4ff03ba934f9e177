import type { Digest } from '../../oci/digest.ts';
import { collect } from '../../stream/collect.ts';
import type { BlobCache } from './blob-cache.ts';

/** Bytes that an earlier run derived from a tar and named by a recipe; null where nobody has them any more. `what` is for errors. */
export async function recallDerived(
  cache: BlobCache,
  recipe: string,
  what: string,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const found = await cache.recipes.recall(recipe, signal);
  const stored = found === null ? null : await cache.read(found, signal);
  if (found === null || stored === null) return null;
  try {
    return await collect(stored.read(), found.size, what);
  } finally {
    await stored.close();
  }
}

/** `tar`: what they were derived from. */
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
    // A recipe needs one; that of a tar that nobody has written yet is not known, and nobody asks for it.
    diffId: tar.diffId ?? digest,
    tarBytes: tar.tarBytes,
  });
}
