/**
 * Reads earlier versions of an image for `relayer --history`: what their components held tells how often each changes. The work of stages
 * calls it, once for all platforms.
 */
import { OcislimError } from '../errors.ts';
import { chooseImages } from '../fleet/index.ts';
import { newestCreation } from '../image/creation-time.ts';
import { type Image, isSamePlatform } from '../image/image.ts';
import { assignmentOf, type ContentDigests } from '../image/relayering.ts';
import { selectLayers } from '../image/selection.ts';
import { imageMembers, type ImageSet, readImageSet } from '../jobs/image-set.ts';
import { readSource } from '../jobs/read-reference.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { formatReference, formOf, parseReference, type Reference } from '../oci/reference.ts';
import type { Source } from '../place/place.ts';
import type { HistoryReader, HistoryWish } from '../settings/transform.ts';
import type { BlobCache } from '../store/cache/blob-cache.ts';
import { mapParallel } from '../stream/parallel.ts';
import { readSetBeside } from './read-beside.ts';
import { tagsBeside } from './repository-tags.ts';
import type { Workspace } from './workspace.ts';

/** Where the image is whose history is read. */
export interface HistoryPlaces {
  /** The image that is relayered, opened, and its reference. */
  readonly source: Source;
  readonly reference: Reference;
  /** The references of the destination, as they were given. */
  readonly destinations: readonly string[];
  /** The platforms that are written; all if empty. */
  readonly platforms: readonly Platform[];
  readonly cache: BlobCache | null;
}

/** A version of the image, by its reference. */
interface Version {
  readonly reference: Reference;
  /** Of the manifest or index that the reference names. */
  readonly digest: Digest;
  readonly images: readonly Image[];
  readonly tags: readonly string[];
  /** When it says that it was made, in milliseconds since 1970; null where it does not say. */
  readonly created: number | null;
}

/**
 * Returns the reader of histories. It throws NOT_FOUND for a reference that names nothing, UNSUPPORTED where a number is asked for and no place
 * lists its images, and what reading images and layers throws.
 */
export function historyReader(workspace: Workspace, places: HistoryPlaces): HistoryReader {
  return async (wish) => {
    const { limits, signal } = workspace;
    const set = await readImageSet(places.source, { platforms: [], tolerant: true, limits, signal });
    const images = imageMembers(set).map(({ image }) => image);
    const own = versionOf(places.reference, set, images, []);
    const reader = new Reader(workspace, places, own);
    const named = await reader.named(wish.references);
    const versions = distinct([...named, ...(await reader.newest(wish))], wish);
    return reader.digests(versions, wish);
  };
}

function versionOf(
  reference: Reference,
  { root }: ImageSet,
  images: readonly Image[],
  tags: readonly string[],
): Version {
  return { reference, digest: root.descriptor.digest, images, tags, created: createdOf(images) };
}

/** Leaves out what occurs twice, and what the previous versions say already. */
function distinct(versions: readonly Version[], { previous }: HistoryWish): readonly Version[] {
  const seen = new Set(previous.images.map(({ descriptor }) => descriptor.digest));
  return versions.flatMap((version) => {
    const images = version.images.filter(({ descriptor }) => !seen.has(descriptor.digest));
    for (const { descriptor } of images) seen.add(descriptor.digest);
    return images.length === 0 ? [] : { ...version, images };
  });
}

/** How many images are asked for at a time. */
const atOnce = 8;

class Reader {
  readonly #workspace: Workspace;
  readonly #places: HistoryPlaces;
  readonly #own: Version;

  constructor(workspace: Workspace, places: HistoryPlaces, own: Version) {
    this.#workspace = workspace;
    this.#places = places;
    this.#own = own;
  }

  async named(names: readonly string[]): Promise<readonly Version[]> {
    const { signal } = this.#workspace;
    return mapParallel([...new Set(names)], atOnce, signal, async (name) =>
      this.#read(await readSource(name), []),
    );
  }

  /** Returns the newest versions that are earlier than the source, of the repository that has more of them. */
  async newest({ newest: count, previous }: HistoryWish): Promise<readonly Version[]> {
    if (count === 0) return [];
    const { reference, destinations } = this.#places;
    const [destination] = destinations;
    const repositories = [...(destination === undefined ? [] : [parseReference(destination)]), reference];
    const different = new Map(repositories.map((each) => [repositoryOf(each), each]));
    let best: readonly Version[] | null = null;
    for (const [i, each] of [...different.values()].entries()) {
      const tags = await this.#tagsOf(each, i < different.size - 1);
      if (tags === null) continue;
      const all = await this.#versionsOf(tags);
      const earlier = earlierThan(this.#own, all, previous.images);
      const chosen = chooseImages(earlier, { newest: count, since: null });
      if (best === null || chosen.length > best.length) best = chosen;
    }
    if (best === null)
      throw new OcislimError(
        'UNSUPPORTED',
        `--history ${count}: ${formatReference(reference)} is neither in a registry nor in a layout`,
        {
          advice: 'Name earlier versions: --history REF.',
        },
      );
    return best;
  }

  /** Lists what is beside an image. A destination need not be there yet. */
  async #tagsOf(reference: Reference, mayBeAbsent: boolean): Promise<readonly Reference[] | null> {
    try {
      return await tagsBeside(this.#workspace, this.#places.reference, reference);
    } catch (error) {
      this.#workspace.signal.throwIfAborted();
      if (mayBeAbsent && error instanceof OcislimError) return [];
      throw error;
    }
  }

  /** Reads the images that tags name, each once. What is not an image is left out. */
  async #versionsOf(tags: readonly Reference[]): Promise<readonly Version[]> {
    const { signal } = this.#workspace;
    const found = await mapParallel(tags, atOnce, signal, async (reference) => {
      try {
        return await this.#read(reference, [formOf(reference).nameOf(reference) ?? '']);
      } catch (error) {
        const codes: readonly string[] = ['NOT_FOUND', 'UNSUPPORTED', 'MEDIA_TYPE'];
        if (error instanceof OcislimError && codes.includes(error.code)) return null;
        throw error;
      }
    });
    const versions = found.filter((each) => each !== null).filter(({ images }) => images.length > 0);
    return [...Map.groupBy(versions, ({ digest }) => digest).values()].map((same) => ({
      ...(same[0] as Version),
      tags: same.flatMap(({ tags }) => tags),
    }));
  }

  async #read(reference: Reference, tags: readonly string[]): Promise<Version> {
    await using place = await this.#workspace.openOneBeside(this.#places.reference, reference);
    const set = await readSetBeside(this.#workspace, place, this.#places.platforms);
    const images = imageMembers(set)
      .map(({ image }) => image)
      .filter((image) => this.#own.images.some((each) => isSamePlatform(each, image)));
    return versionOf(reference, set, images, tags);
  }

  /** Learns what the components of all versions held, one version after the other. */
  async digests(
    versions: readonly Version[],
    wish: HistoryWish,
  ): Promise<(image: Image) => readonly ContentDigests[]> {
    const known: { readonly image: Image; readonly digests: ContentDigests }[] = [];
    let noted = 0;
    for (const { reference, images } of versions)
      for (const image of images) {
        const stated = assignmentOf(image)?.digests;
        if (stated !== undefined) noted++;
        known.push({ image, digests: stated ?? (await this.#scan(reference, image, wish)) });
      }
    const message = `history: ${known.length} earlier images, ${noted} of them known by their notes`;
    this.#workspace.listener({ type: 'detail', message });
    return (image) => known.filter((each) => isSamePlatform(each.image, image)).map(({ digests }) => digests);
  }

  async #scan(
    reference: Reference,
    image: Image,
    { by, groups, maxLayer, selection, previous }: HistoryWish,
  ): Promise<ContentDigests> {
    const { jobs, disk: maxScratch, limits, listener, signal } = this.#workspace;
    const own = this.#own.images.find((each) => isSamePlatform(each, image)) as Image;
    const [layout] = previous.layoutsFor(own);
    const { digestVersion } = await import('../jobs/rewrite/digest-version.ts');
    await using source = await this.#workspace.openOneBeside(this.#places.reference, reference);
    return digestVersion(image, {
      source,
      cache: this.#places.cache,
      jobs,
      maxScratch,
      limits,
      listener,
      signal,
      base: baseOf(image, own, selection),
      division: {
        by,
        groups,
        maxLayer,
        known: new Set(layout?.layers.flat()),
        byLayer: assignmentOf(image) === null,
      },
    });
  }
}

/**
 * Returns how many layers of an earlier version are those of its base: where it was built on another state of the base, as many as the image
 * itself has of it.
 */
function baseOf(image: Image, own: Image, selection: HistoryWish['selection']): number {
  if (selection.kind === 'all') return 0;
  try {
    return selectLayers(image, selection).from - 1;
  } catch (error) {
    if (!(error instanceof OcislimError)) throw error;
    return Math.min(selectLayers(own, selection).from - 1, Math.max(0, image.manifest.layers.length - 1));
  }
}

/**
 * Returns the versions that are earlier than an image. One version may be there twice, as it was built and laid out: by their time, which laying
 * out does not change, it counts once, and the image itself not at all.
 */
function earlierThan(own: Version, all: readonly Version[], previous: readonly Image[]): readonly Version[] {
  const laid = new Set([
    ...all.filter(isLaidOut).map(({ created }) => created),
    ...previous.map((image) => createdOf([image])),
  ]);
  return all.filter((version) => {
    const { digest, created } = version;
    if (digest === own.digest) return false;
    if (created === null) return true;
    if (own.created !== null && (created > own.created || (created === own.created && isLaidOut(version))))
      return false;
    return isLaidOut(version) || !laid.has(created);
  });
}

function isLaidOut({ images }: Version): boolean {
  return images.some((image) => assignmentOf(image) !== null);
}

/** Times before it are made up: reproducible builds give all versions the same. */
const firstTime = Date.parse('1990-01-01');

function createdOf(images: readonly Image[]): number | null {
  const newest = newestCreation(images);
  return newest !== null && newest >= firstTime ? newest : null;
}

/** Returns the repository or layout of an image, as text. */
function repositoryOf(reference: Reference): string {
  return formatReference(formOf(reference).withName(reference, 'x'));
}
