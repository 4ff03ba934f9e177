/**
 * One image opened to be looked into: its manifest, its config, and what reads its layers. `export.ts` and `inspect.ts` begin
 * here; rewriting jobs, which take whole sets of images, begin with `image-set.ts`.
 */
import type { LayerIndex } from '../changeset/layer-index.ts';
import type { AsyncCloseable } from '../closeable.ts';
import type { UnpackThreads } from '../codec/unpack/threads.ts';
import { OcislimError } from '../errors.ts';
import { Scratch } from '../files/scratch.ts';
import type { Image } from '../image/image.ts';
import { LayerReader } from '../layers/read/layer-reader.ts';
import type { Platform } from '../oci/platform.ts';
import type { Source } from '../place/place.ts';
import { CachedSource } from '../store/cache/cached-source.ts';
import { mapParallel } from '../stream/parallel.ts';
import { severalImages } from './choose-children.ts';
import { type ImageMember, imageMembers, platformOf, readImageSet } from './image-set.ts';
import type { RunOptions } from './rewrite/run.ts';

export interface OneImageOptions
  extends Pick<RunOptions, 'source' | 'jobs' | 'maxScratch' | 'cache' | 'limits' | 'listener' | 'signal'> {
  /** The platform of the image. Null: the source must have one image. */
  readonly platform: Platform | null;
  /** Threads that hash plain layers of local files. Default: the main thread does. */
  readonly hashers?: UnpackThreads | null;
}

export interface OneImage extends AsyncDisposable {
  readonly image: Image;
  /** The image with its place in the index, if there is one. */
  readonly member: ImageMember;
  /** Where the image is read from: through the cache, if there is one. */
  readonly source: Source;
  readonly reader: LayerReader;
  /** Passes the local copies of layers on: the caller closes what is returned, and disposing of this image leaves them. */
  handOver(): AsyncCloseable;
}

/**
 * Opens the one image that the options select. Disposing of it removes the local copies of its layers.
 * @throws USAGE where there are several images to choose from, UNSUPPORTED for an artifact that is not an image, and what reading
 *   manifests throws
 */
export async function openOneImage(options: OneImageOptions): Promise<OneImage> {
  const { listener, limits, cache = null, hashers = null } = options;
  const source = cache === null ? options.source : new CachedSource(options.source, cache);
  const member = await chooseImage({ ...options, source });
  const { image } = member;
  const opened = new AsyncDisposableStack();
  const scratch = new Scratch(options.maxScratch);
  opened.defer(() => scratch.close());
  return {
    image,
    member,
    source,
    reader: new LayerReader({ source, scratch, listener, cache, limits, hashers }),
    handOver() {
      const kept = opened.move();
      const close = () => kept.disposeAsync();
      return { close, [Symbol.asyncDispose]: close };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Returns the numbers of an image's layers, from 1, the lowest. */
export function layerNumbers({ manifest }: Image): readonly number[] {
  return manifest.layers.map((_, i) => i + 1);
}

/** Reads the indexes of these layers, by their numbers. @throws what reading layers throws */
export async function readIndexes(
  { image, reader }: OneImage,
  numbers: readonly number[],
  { jobs, signal }: Pick<OneImageOptions, 'jobs' | 'signal'>,
): Promise<ReadonlyMap<number, LayerIndex>> {
  const indexes = await mapParallel(numbers, jobs, signal, async (number, _, inner) => {
    return [number, await reader.index(image, number, inner)] as const;
  });
  return new Map(indexes);
}

/** Reads the one image that the options select. @throws USAGE where there are several, UNSUPPORTED where there are none */
async function chooseImage({ source, platform, ...options }: OneImageOptions): Promise<ImageMember> {
  const platforms = platform === null ? [] : [platform];
  const found = imageMembers(await readImageSet(source, { ...options, platforms, single: true }));
  const [first] = found;
  if (first === undefined)
    throw new OcislimError('UNSUPPORTED', `${source.label} is not an image but an artifact of another kind`);
  if (found.length === 1) return first;
  throw severalImages(source.label, found.map(platformOf));
}
