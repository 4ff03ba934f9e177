import { type Filesystem, mergeStack } from '../rootfs/filesystem.ts';
import { stackSteps } from '../changeset/stack.ts';
import type { Image } from '../image/image.ts';
import type { ContentProbe, FileFacts } from '../rootfs/facts/facts.ts';
import { mergeFacts } from '../rootfs/facts/merged-facts.ts';
import { inTurns } from '../steps.ts';
import { mapParallel } from '../stream/parallel.ts';
import { layerNumbers, type OneImage, type OneImageOptions, openOneImage } from './one-image.ts';

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
export async function inspectImage(options: OneImageOptions, probe: ContentProbe): Promise<InspectedImage> {
  await using opened = await openOneImage(options);
  return await inspectOpened(opened, options, probe);
}

/** Looks around in an image whose layers are open. @throws whatever reading them throws */
export async function inspectOpened(
  { image, reader }: Pick<OneImage, 'image' | 'reader'>,
  { jobs, signal }: Pick<OneImageOptions, 'jobs' | 'signal'>,
  probe: ContentProbe,
): Promise<InspectedImage> {
  const scans = await mapParallel(layerNumbers(image), jobs, signal, async (number, _, inner) => {
    const scan = await reader.scan(image, number, { probe, digests: false, twins: false }, inner);
    return [number, scan] as const;
  });
  const indexes = new Map(scans.map(([number, { index }]) => [number, index]));
  const fs = mergeStack(await inTurns(stackSteps(indexes), signal), indexes);
  return { image, fs, facts: mergeFacts(fs, new Map(scans.map(([number, { facts }]) => [number, facts]))) };
}
