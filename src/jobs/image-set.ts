/**
 * Reads what a reference names as a set of images: one image, or the members of an index. Every job begins here, with manifests
 * and configs only.
 */
import { OcislimError } from '../errors.ts';
import { defaultLimits, exceeded, type Limits } from '../limits.ts';
import { attestedDigest, isAttestation } from '../oci/attestation.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Image, readImage } from '../image/image.ts';
import { parseImageConfig } from '../oci/image-config.ts';
import { type Index, type IndexChild, isImage, type Manifest, parseManifest } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-type.ts';
import { formatPlatform, matchesPlatform, type Platform } from '../oci/platform.ts';
import type { RawManifest, Source } from '../place/place.ts';
import { mapParallel } from '../stream/parallel.ts';
import { collect } from '../stream/collect.ts';

/** Manifests and configs read at a time: an index may have thousands of children. */
const requests = 6;

/** One member of an image set: its place in the index, if there is one, and the image, unless it is something else. */
export interface Member {
  readonly child: IndexChild | null;
  readonly raw: RawManifest;
  /** Null for attestations, artifacts and nested indexes, which no stage touches. */
  readonly image: Image | null;
}

/** What a reference names: one image, or an index of several. Manifests and configs only, no layer bytes. */
export interface ImageSet {
  readonly root: RawManifest;
  readonly index: Index | null;
  /** Those selected, in the index's order. */
  readonly members: readonly Member[];
  /** Whether --platform left members out. */
  readonly narrowed: boolean;
  /** The platforms asked for; empty for all. */
  readonly selected: readonly Platform[];
}

export interface ImageSetOptions {
  /** The platforms to take; all if empty. */
  readonly platforms: readonly Platform[];
  /** The platforms to take of an index where `platforms` names none. Default: all. */
  readonly platformsOfIndex?: readonly Platform[];
  /** Bounds of manifests and configs. Default: `defaultLimits`. */
  readonly limits?: Limits | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads the manifests and configs that a source names.
 * @throws NOT_FOUND when no image of the index is for a platform asked for; what sources throw
 */
export async function readImageSet(
  source: Source,
  { platforms, platformsOfIndex = [], limits = defaultLimits, signal }: ImageSetOptions,
): Promise<ImageSet> {
  const documents = new Documents(source, limits);
  const root = await source.root(signal);
  const document = parseManifest(root.bytes, root.descriptor.mediaType, source.label);
  if (document.kind === 'manifest') {
    const image = await readMember(documents, root, document, signal);
    const platform = image?.config.platform ?? null;
    if (
      platforms.length > 0 &&
      (platform === null || !platforms.some((wanted) => matchesPlatform(wanted, platform)))
    ) {
      throw new OcislimError(
        'NOT_FOUND',
        `${source.label} is an image for ${platform === null ? 'an unknown platform' : formatPlatform(platform)}, not for ${platforms.map(formatPlatform).join(', ')}`,
      );
    }
    return {
      root,
      index: null,
      members: [{ child: null, raw: root, image }],
      narrowed: false,
      selected: platforms,
    };
  }
  const members = await mapParallel(
    document.children,
    requests,
    signal,
    async (child, _, signal): Promise<Member> => {
      const raw = await source.manifest(child.descriptor, signal);
      documents.hold(raw.bytes.length);
      if (isIndexType(raw.descriptor.mediaType) || isAttestation(child)) return { child, raw, image: null };
      const parsed = parseManifest(raw.bytes, raw.descriptor.mediaType, `a manifest of ${source.label}`);
      return {
        child,
        raw,
        image: parsed.kind === 'manifest' ? await readMember(documents, raw, parsed, signal) : null,
      };
    },
  );
  const selected = platforms.length > 0 ? platforms : platformsOfIndex;
  return narrow(source, { root, index: document, members, narrowed: false, selected }, selected);
}

/** Reads documents of one source, which are all held. */
class Documents {
  readonly source: Source;
  readonly #limits: Limits;
  #held = 0;

  constructor(source: Source, limits: Limits) {
    this.source = source;
    this.#limits = limits;
  }

  hold(bytes: number): void {
    this.#held += bytes;
    if (this.#held > this.#limits['document-bytes'])
      throw exceeded(
        'document-bytes',
        this.#limits,
        `${this.source.label} has too many images`,
        `manifests and configs read so far have ${this.#held} bytes together`,
      );
  }

  async config(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const most = this.#limits['config-bytes'];
    const what = `the config of ${this.source.label} is too large`;
    if (descriptor.size > most)
      throw exceeded('config-bytes', this.#limits, what, `it states ${descriptor.size} bytes`);
    // No place gives more than the descriptor states.
    const bytes = await collect(this.source.blob(descriptor, signal), descriptor.size, what);
    this.hold(bytes.length);
    return bytes;
  }
}

async function readMember(
  documents: Documents,
  raw: RawManifest,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Image | null> {
  if (!isImage(manifest)) return null;
  const { label } = documents.source;
  const bytes = await documents.config(manifest.config, signal);
  return readImage(
    raw.descriptor,
    manifest,
    parseImageConfig(bytes, manifest.layers.length, `the config of ${label}`),
  );
}

function narrow(source: Source, set: ImageSet, platforms: readonly Platform[]): ImageSet {
  if (platforms.length === 0) return set;
  const chosen = set.members.filter(({ child, image }) => {
    const platform = child?.platform ?? image?.config.platform ?? null;
    return (
      image !== null && platform !== null && platforms.some((wanted) => matchesPlatform(wanted, platform))
    );
  });
  for (const wanted of platforms) {
    if (
      chosen.some(({ child, image }) =>
        matchesPlatform(wanted, (child?.platform ?? image?.config.platform) as Platform),
      )
    )
      continue;
    const there = set.members.flatMap(({ child, image }) =>
      image === null || child?.platform == null ? [] : [formatPlatform(child.platform)],
    );
    throw new OcislimError('NOT_FOUND', `${source.label} has no image for ${formatPlatform(wanted)}`, {
      advice: `It has: ${there.join(', ')}.`,
    });
  }
  const digests = new Set(chosen.map(({ raw }) => raw.descriptor.digest as string));
  const attestations = set.members.filter(
    ({ child }) => child !== null && isAttestation(child) && digests.has(attestedDigest(child) ?? ''),
  );
  return {
    ...set,
    members: set.members.filter((member) => chosen.includes(member) || attestations.includes(member)),
    narrowed: true,
  };
}
