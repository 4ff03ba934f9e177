/**
 * Scans one image to look into it: all headers, what became of each entry, and what is known of the files. `analyze`, `check`, `sbom`,
 * `ls` and `explore` begin here.
 */
import { type ImageFates, fateSteps } from '../../analyze/fates.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { type Stack, stackSteps } from '../../changeset/stack.ts';
import { at } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import type { Gathering } from '../../layers/read/gathering.ts';
import { emptyFacts } from '../../layers/read/empty-facts.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import { Filesystem } from '../../rootfs/filesystem.ts';
import { inTurns } from '../../steps.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { layerNumbers, type OneImage, type OneImageOptions, openOneImage } from '../one-image.ts';

/** One image, with everything that its headers and the facts asked for tell. Layers are numbered from 1, the lowest. */
export interface ScannedImage {
  readonly image: Image;
  readonly stack: Stack;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly fates: ImageFates;
  /** Merged, as a container would see it. */
  readonly fs: Filesystem;
  /** Empty for each layer where no gathering was asked for. */
  readonly facts: ReadonlyMap<number, LayerFacts>;
}

/**
 * Scans the one image that the options select: each layer once, from the cache where an earlier command has scanned it.
 * @throws USAGE where there are several images to choose from, UNSUPPORTED for an artifact that is not an image, and whatever reading
 * an image throws
 */
export async function scanImage(
  options: OneImageOptions,
  gathering: Gathering | null,
): Promise<ScannedImage> {
  await using opened = await openOneImage(options);
  return await scanOpened(opened, options, gathering);
}

/** Scans an image that is open, as `scanImage` does. `peek` looks at no more than it must: see `LayerReader.peek`. */
export async function scanOpened(
  { image, reader, source }: OneImage,
  options: Pick<OneImageOptions, 'jobs' | 'signal'>,
  gathering: Gathering | 'peek' | null,
): Promise<ScannedImage> {
  const numbers = layerNumbers(image);
  const scans = await mapParallel(numbers, options.jobs, options.signal, async (number, _, inner) => {
    if (gathering !== 'peek') return [number, await reader.scan(image, number, gathering, inner)] as const;
    return [number, { index: await reader.peek(image, number, inner), facts: emptyFacts }] as const;
  });
  const indexes = new Map(scans.map(([number, { index }]) => [number, index]));
  const facts = new Map(scans.map(([number, { facts }]) => [number, facts]));
  try {
    const stack = await inTurns(stackSteps(indexes), options.signal);
    const fates = await inTurns(fateSteps(stack, indexes), options.signal);
    const fs = new Filesystem(stack, fates.tree, indexes);
    return { image, stack, indexes, fates, fs, facts };
  } catch (error) {
    throw at(`source ${source.label}`, error);
  }
}
