import { OcislimError } from '../errors.ts';
import { type Image, readImage } from '../image/image.ts';
import { parseImageConfig } from '../oci/image-config.ts';
import { type Index, type IndexChild, isImage, type Manifest, parseManifest } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-type.ts';
import { formatPlatform, matchesPlatform, type Platform } from '../oci/platform.ts';
import type { RawManifest, Source } from '../store/place.ts';
import { mapParallel } from '../stream/parallel.ts';
import { collect } from '../stream/collect.ts';

const maxConfig = 8 * 1024 * 1024;
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
  /** Were members left out by --platform? */
  readonly narrowed: boolean;
  /** The platforms asked for; empty for all. */
  readonly selected: readonly Platform[];
}

/**
 * `platformsOfIndex`: which to select of an index where `platforms` names none.
 * @throws NOT_FOUND when no image of the index is for a platform asked for; what sources throw
 */
export async function readImageSet(
  source: Source,
  platforms: readonly Platform[],
  signal: AbortSignal,
  platformsOfIndex: readonly Platform[] = [],
): Promise<ImageSet> {
  const root = await source.root(signal);
  const document = parseManifest(root.bytes, root.descriptor.mediaType, source.label);
  if (document.kind === 'manifest') {
    const image = await readMember(source, root, document, signal);
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
      if (isIndexType(raw.descriptor.mediaType) || isAttestation(child)) return { child, raw, image: null };
      const parsed = parseManifest(raw.bytes, raw.descriptor.mediaType, `a manifest of ${source.label}`);
      return {
        child,
        raw,
        image: parsed.kind === 'manifest' ? await readMember(source, raw, parsed, signal) : null,
      };
    },
  );
  const selected = platforms.length > 0 ? platforms : platformsOfIndex;
  return narrow(source, { root, index: document, members, narrowed: false, selected }, selected);
}

async function readMember(
  source: Source,
  raw: RawManifest,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Image | null> {
  if (!isImage(manifest)) return null;
  const bytes = await collect(
    source.blob(manifest.config, signal),
    maxConfig,
    `the config of ${source.label}`,
  );
  return readImage(
    raw.descriptor,
    manifest,
    parseImageConfig(bytes, manifest.layers.length, `the config of ${source.label}`),
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

/** BuildKit marks attestation manifests by annotations, and by a platform that matches none. */
export function isAttestation(child: IndexChild): boolean {
  return (
    child.descriptor.annotations['vnd.docker.reference.type'] === 'attestation-manifest' ||
    (child.platform?.os === 'unknown' && child.platform.architecture === 'unknown')
  );
}

/** The manifest that an attestation is about. */
export function attestedDigest(child: IndexChild): string | null {
  return child.descriptor.annotations['vnd.docker.reference.digest'] ?? null;
}
