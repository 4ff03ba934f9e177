import type { Digest } from '../../oci/digest.ts';
import type { BlobCache } from '../../store/cache/blob-cache.ts';
import { recallDerived, rememberDerived } from '../../store/cache/derived-bytes.ts';
import type { LayerSample } from './sample-layer.ts';

/** Recalls the sizes that trials of the same tar by the same encoders had in an earlier run; null where they are not stored. */
export async function recallTrials(
  cache: BlobCache,
  recipe: string,
  signal: AbortSignal,
): Promise<LayerSample | null> {
  const bytes = await recallDerived(cache, recipe, 'stored trials', signal);
  return bytes === null ? null : (JSON.parse(new TextDecoder().decode(bytes)) as LayerSample);
}

/** `diffId`: of the tar, where it was checked. */
export async function rememberTrials(
  cache: BlobCache,
  recipe: string,
  sample: LayerSample,
  diffId: Digest | null,
): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(sample));
  await rememberDerived(cache, recipe, bytes, { diffId, tarBytes: sample.tarBytes });
}
