import { type Filesystem, mergeStack } from '../rootfs/filesystem.ts';
import { buildStack } from '../changeset/stack.ts';
import type { Image } from '../image/image.ts';
import type { ContentProbe, FileFacts } from '../rootfs/facts/facts.ts';
import { mergeFacts } from '../rootfs/facts/merged-facts.ts';
import { CachedSource } from '../store/cache/cached-source.ts';
import { mapParallel } from '../stream/parallel.ts';
import { chooseImage, type ExportOptions } from './export.ts';
import { LayerReader } from '../layers/read/layer-reader.ts';
import { Scratch } from '../files/scratch.ts';

export interface InspectedImage {
  readonly image: Image;
  /** Merged, as a container would see it. */
  readonly fs: Filesystem;
  readonly facts: FileFacts;
}

/**
 * Reads one image to look around in it: the headers of all layers, and the contents that the probe asks for.
 * @throws USAGE where there are several images to choose from, UNSUPPORTED for an artifact that is not an image, and whatever reading
 * an image throws
 */
export async function inspectImage(given: ExportOptions, probe: ContentProbe): Promise<InspectedImage> {
  const { listener, signal, jobs, cache = null } = given;
  const source = cache === null ? given.source : new CachedSource(given.source, cache);
  const image = await chooseImage({ ...given, source });
  const scratch = new Scratch(given.maxScratch);
  try {
    const reader = new LayerReader({ source, scratch, listener, cache, limits: given.limits });
    const numbers = image.manifest.layers.map((_, i) => i + 1);
    const scans = await mapParallel(numbers, jobs, signal, async (number, _, inner) => {
      const scan = await reader.scan(image, number, { probe, digests: false, twins: false }, inner);
      return [number, scan] as const;
    });
    const indexes = new Map(scans.map(([number, { index }]) => [number, index]));
    const fs = mergeStack(buildStack(indexes), indexes);
    return { image, fs, facts: mergeFacts(fs, new Map(scans.map(([number, { facts }]) => [number, facts]))) };
  } finally {
    await scratch.close();
  }
}
