/**
 * Plans a fleet: lists what a registry has below some names, reads manifests and configs, and says for each image what it is and what it holds. No layer is
 * read. `fleet plan` calls it.
 */
import { OcislimError } from '../../errors.ts';
import {
  chooseImages,
  type FleetSource,
  type ImageRow,
  isServiceTag,
  nameBelow,
  type Newness,
} from '../../fleet/index.ts';
import { newestCreation } from '../../image/creation-time.ts';
import type { Limits } from '../../limits.ts';
import type { Digest } from '../../oci/digest.ts';
import { layerKind } from '../../oci/media-type.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { RegistryReference } from '../../oci/reference.ts';
import type { Source } from '../../place/place.ts';
import { mapInOrder, mapParallel } from '../../stream/parallel.ts';
import { imageMembers, platformOf, readImageSet } from '../image-set.ts';

/** What a registry lists, page by page. */
export interface FleetRegistry {
  /** @throws UNSUPPORTED where the registry does not list its repositories */
  repositories(host: string, signal: AbortSignal): AsyncIterable<readonly string[]>;
  /** @throws NOT_FOUND for a repository that is not there */
  tags(host: string, repository: string, signal: AbortSignal): AsyncIterable<readonly string[]>;
  /** Opens an image for reading. The caller closes it. */
  open(reference: RegistryReference): Promise<Source>;
}

export interface FleetWish extends Newness {
  readonly sources: readonly FleetSource[];
  /** Whether a repository is meant, by its name below a source. */
  readonly isRepositoryMeant: (name: string) => boolean;
  readonly isTagMeant: (tag: string) => boolean;
  /** Empty for all. */
  readonly platforms: readonly Platform[];
}

export interface FleetOptions {
  readonly registry: FleetRegistry;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/** One image, or what could not be planned: `left-out` is something else than an image, or has none for the platforms wanted. */
export type PlannedImage =
  | { readonly kind: 'image'; readonly row: ImageRow }
  | { readonly kind: 'left-out'; readonly name: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly name: string; readonly error: OcislimError };

/** Repositories, and requests of each, that are under way at a time. The client bounds its connections by itself. */
const atOnce = 8;

/** Where images are looked for: a repository, with the tag or digest of the one image that is meant of it. */
type Place = Pick<RegistryReference, 'host' | 'repository' | 'tag' | 'digest'>;

/**
 * Yields the images of a fleet: repositories as the registry lists them, in each the newest image first. What fails is yielded, too, and the rest goes on.
 * @throws only what ends everything: the signal's reason, LIMIT of time
 */
export async function* planFleet(wish: FleetWish, options: FleetOptions): AsyncGenerator<PlannedImage> {
  const places = placesOf(wish, options);
  const planned = mapInOrder(places, atOnce, options.signal, async (place, signal) =>
    'kind' in place ? [place] : planPlace(place, wish, { ...options, signal }),
  );
  const isNew = wish.sources.length > 1 ? newNames() : () => true;
  for await (const images of planned)
    for (const image of images) if (image.kind !== 'image' || isNew(image.row)) yield image;
}

/** Returns what tells whether a row names an image, or a tag of it, that no row before it did: sources may overlap. */
function newNames(): (row: ImageRow) => boolean {
  const seen = new Set<string>();
  return ({ repository, digest, tags }) => {
    const before = seen.size;
    for (const name of ['', ...tags]) seen.add(`${repository}:${name}@${digest}`);
    return seen.size > before;
  };
}

type Failed = Extract<PlannedImage, { kind: 'failed' }>;

/** Yields each repository once, however many sources name it. */
async function* placesOf(wish: FleetWish, options: FleetOptions): AsyncGenerator<Place | Failed> {
  const seen = new Set<string>();
  for (const source of wish.sources) {
    try {
      for await (const place of placesIn(source, wish, options)) {
        const key = `${place.host}/${place.repository} ${place.tag} ${place.digest}`;
        if (seen.has(key)) continue;
        seen.add(key);
        yield place;
      }
    } catch (error) {
      yield failed(source.label, error, options.signal);
    }
  }
}

async function* placesIn(source: FleetSource, wish: FleetWish, options: FleetOptions): AsyncGenerator<Place> {
  const { host } = source;
  if (source.kind === 'image') {
    yield { host, repository: source.repository, tag: source.tag, digest: source.digest };
    return;
  }
  let isAny = false;
  try {
    for await (const page of options.registry.repositories(host, options.signal))
      for (const repository of page) {
        const name = nameBelow(source, repository);
        if (name === null) continue;
        isAny = true;
        if (name === '' || wish.isRepositoryMeant(name)) yield { host, repository, tag: null, digest: null };
      }
  } catch (error) {
    // A registry that does not list its repositories still lists the tags of one.
    const mayBeOne = source.kind === 'below' && source.itself && !isAny;
    if (!(error instanceof OcislimError) || error.code !== 'UNSUPPORTED' || !mayBeOne) throw error;
  }
  if (isAny || source.kind !== 'below' || !source.itself) return;
  // Nor need its list have what was pushed a moment ago.
  yield { host, repository: source.name, tag: null, digest: null };
}

/** Plans the images of one repository. */
async function planPlace(
  place: Place,
  wish: FleetWish,
  options: FleetOptions,
): Promise<readonly PlannedImage[]> {
  const name = `${place.host}/${place.repository}`;
  const { signal } = options;
  try {
    const named = await namedImages(place, wish, options);
    const read = await mapParallel([...named], atOnce, signal, ([digest, tags], _, inner) =>
      planImage({ ...place, digest }, tags, wish, { ...options, signal: inner }),
    );
    const rows = read.flatMap((each) => (each.kind === 'image' ? [each.row] : []));
    const chosen = chooseImages(rows, wish).map((row): PlannedImage => ({ kind: 'image', row }));
    return [...chosen, ...read.filter(({ kind }) => kind !== 'image')];
  } catch (error) {
    return [failed(name, error, signal)];
  }
}

/** Returns the digests that the tags meant have now, each with its tags. */
async function namedImages(
  place: Place,
  wish: FleetWish,
  { registry, signal }: FleetOptions,
): Promise<ReadonlyMap<Digest, readonly string[]>> {
  if (place.digest !== null) return new Map([[place.digest, place.tag === null ? [] : [place.tag]]]);
  const tags = place.tag === null ? [] : [place.tag];
  if (place.tag === null)
    for await (const page of registry.tags(place.host, place.repository, signal))
      for (const tag of page) if (!isServiceTag(tag) && wish.isTagMeant(tag)) tags.push(tag);
  const digests = await mapParallel(tags, atOnce, signal, async (tag, _, inner) => {
    await using source = await registry.open(referenceOf({ ...place, tag }));
    return ((await source.head(inner)) ?? (await source.root(inner)).descriptor).digest;
  });
  return Map.groupBy(tags, (_, i) => digests[i] as Digest);
}

function referenceOf(place: Place): RegistryReference {
  return { kind: 'registry', ...place, untagged: false };
}

async function planImage(
  place: Place & { readonly digest: Digest },
  tags: readonly string[],
  wish: FleetWish,
  { registry, limits, signal }: FleetOptions,
): Promise<PlannedImage> {
  const { host, repository, digest } = place;
  const tag = tags[0] === undefined ? '' : `:${tags[0]}`;
  const name = `${host}/${repository}${tag}@${digest}`;
  try {
    await using source = await registry.open(referenceOf({ ...place, tag: null }));
    const set = await readImageSet(source, { platforms: wish.platforms, tolerant: true, limits, signal });
    const members = imageMembers(set);
    if (members.length === 0) return { kind: 'left-out', name, reason: 'it is not an image' };
    const layers = members.flatMap(({ image }) => image.manifest.layers);
    return {
      kind: 'image',
      row: {
        repository: `${host}/${repository}`,
        digest,
        tags,
        created: newestCreation(members.map(({ image }) => image)),
        platforms: [...new Set(members.map((member) => platformName(platformOf(member))))],
        layers: [
          ...new Map(
            layers
              .filter(({ mediaType }) => layerKind(mediaType).kind !== 'foreign')
              .map(({ digest: each, size }) => [each, { digest: each, size }]),
          ).values(),
        ],
      },
    };
  } catch (error) {
    const isOther =
      error instanceof OcislimError && ['NOT_FOUND', 'UNSUPPORTED', 'MEDIA_TYPE'].includes(error.code);
    if (isOther) return { kind: 'left-out', name, reason: error.message };
    return failed(name, error, signal);
  }
}

function platformName(platform: Platform | null): string {
  return platform === null ? 'unknown' : formatPlatform(platform);
}

/** Makes a failure of one part. @throws the error where it ends everything */
function failed(name: string, error: unknown, signal: AbortSignal): Failed {
  signal.throwIfAborted();
  if (!(error instanceof OcislimError) || ['INTERNAL', 'INTERRUPTED', 'STRICT'].includes(error.code))
    throw error;
  return { kind: 'failed', name, error };
}
