import type { Digest } from '../oci/digest.ts';
import type { BlobCache } from '../store/cache/blob-cache.ts';
import { collect } from '../stream/collect.ts';
import type { LayerSample } from './sample-layer.ts';

/** What trials of the same tar by the same encoders came to in an earlier run; null where nobody knows any more. */
export async function recallTrials(
  cache: BlobCache,
  recipe: string,
  signal: AbortSignal,
): Promise<LayerSample | null> {
  const found = await cache.recipes.recall(recipe, signal);
  const stored = found === null ? null : await cache.read(found, signal);
  if (found === null || stored === null) return null;
  try {
    const text = new TextDecoder().decode(await collect(stored.stream, found.size, 'stored trials'));
    return JSON.parse(text) as LayerSample;
  } finally {
    await stored.close();
  }
}

/** `diffId`: of the tar, where it was checked. */
export async function rememberTrials(
  cache: BlobCache,
  recipe: string,
  sample: LayerSample,
  diffId: Digest | null,
): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(sample));
  const digest = await cache.put(bytes);
  await cache.recipes.remember(recipe, {
    digest,
    size: bytes.length,
    // A recipe needs one; that of a tar that nobody has written yet is not known, and nobody asks for it.
    diffId: diffId ?? digest,
    tarBytes: sample.tarBytes,
  });
}
