/**
 * Finds the originals of pruned images, so that removed files can be put back. Caller: the command `restore`, which opens the
 * places that images name.
 */
import { OcislimError } from '../errors.ts';
import { type Image, isSamePlatform, nameOfImage } from '../image/image.ts';
import { type Origin, originOf } from '../image/origin.ts';
import type { Limits } from '../limits.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { JoinedSource } from '../place/joined-source.ts';
import type { Source } from '../place/place.ts';
import { imageMembers, readImageSet } from './image-set.ts';

export interface OriginalOptions {
  readonly platforms: readonly Platform[];
  /** The place given as the original. Null: the annotations of each image name it. */
  readonly given: Source | null;
  readonly limits?: Limits;
  /** Opens what an image names as its original, by name and digest. The caller closes it. */
  readonly open: (origin: Origin, signal: AbortSignal) => Promise<readonly Source[]>;
  readonly signal: AbortSignal;
}

export interface Originals {
  /** Null for an image that names none: nothing was taken from it. */
  readonly originalOf: (image: Image) => Image | null;
  /** The source, with the layers of the originals added. */
  readonly source: Source;
}

/**
 * Finds what each image of a source was pruned from. An image that names its original comes from that one and no other. An image
 * that names none is taken to come from the given one if both are for one platform and have a layer (by DiffID) or their exact
 * time of creation in common: ocislim changes neither.
 * @throws NOT_FOUND, ORIGINAL_MISMATCH, and what sources throw
 */
export async function findOriginals(source: Source, options: OriginalOptions): Promise<Originals> {
  const { given, platforms, limits, signal } = options;
  const set = await readImageSet(source, { platforms, limits, signal });
  const slim = imageMembers(set).map(({ image }) => image);
  const candidates = given === null ? [] : await imagesOf(given, limits, signal);
  const found = new Map<Digest, { readonly image: Image; readonly source: Source }>();
  for (const image of slim) {
    const origin = originOf(image);
    if (given !== null) {
      found.set(image.descriptor.digest, { image: choose(image, origin, candidates, given), source: given });
    } else if (origin !== null) {
      found.set(image.descriptor.digest, await follow(image, origin, options));
    }
  }
  if (found.size === 0 && slim.length > 0)
    throw new OcislimError('NOT_FOUND', `${source.label} does not say what it was pruned from`, {
      advice: 'Name the original with --original REF.',
    });
  const own = new Set(slim.flatMap(({ manifest }) => manifest.layers.map(({ digest }) => digest)));
  const others = new Map<Digest, Source>();
  for (const { image, source: place } of found.values())
    for (const { digest } of image.manifest.layers) if (!own.has(digest)) others.set(digest, place);
  return {
    originalOf: (image) => found.get(image.descriptor.digest)?.image ?? null,
    source: new JoinedSource(source, others),
  };
}

async function imagesOf(source: Source, limits: Limits | undefined, signal: AbortSignal): Promise<Image[]> {
  const set = await readImageSet(source, { platforms: [], limits, signal });
  return imageMembers(set).map(({ image }) => image);
}

async function follow(image: Image, origin: Origin, { open, limits, signal }: OriginalOptions) {
  let reason: unknown = null;
  for (const source of await open(origin, signal)) {
    try {
      const found = (await imagesOf(source, limits, signal)).find(
        ({ descriptor }) => descriptor.digest === origin.digest,
      );
      if (found !== undefined) return { image: found, source };
    } catch (error) {
      if (!(error instanceof OcislimError) || error.code !== 'NOT_FOUND') throw error;
      reason = error;
    }
  }
  throw new OcislimError(
    'NOT_FOUND',
    `the original of ${nameOfImage(image)}, ${origin.digest}, is not at ${origin.name ?? 'any place that is known'}`,
    { cause: reason, advice: 'Name the place where it is with --original REF.' },
  );
}

function choose(image: Image, origin: Origin | null, candidates: readonly Image[], { label }: Source): Image {
  const name = nameOfImage(image);
  if (origin !== null) {
    const found = candidates.find(({ descriptor }) => descriptor.digest === origin.digest);
    if (found !== undefined) return found;
    throw new OcislimError(
      'ORIGINAL_MISMATCH',
      `${name} was pruned from ${origin.digest}, which ${label} neither is nor holds`,
    );
  }
  const same = candidates.filter((candidate) => isSamePlatform(candidate, image));
  const found = same.find((candidate) => isRelated(image, candidate));
  if (found !== undefined) return found;
  throw new OcislimError(
    'ORIGINAL_MISMATCH',
    same.length === 0
      ? `${label} has no image for the platform of ${name}`
      : `${name} does not say what it was pruned from, and has no layer and no time of creation in common with ${label}`,
    { advice: 'Give the very image that it was pruned from.' },
  );
}

function isRelated(image: Image, candidate: Image): boolean {
  const layers = new Set<string>(candidate.config.diffIds);
  if (image.config.diffIds.some((diffId) => layers.has(diffId))) return true;
  const created = image.config.json['created'];
  return typeof created === 'string' && created === candidate.config.json['created'];
}
