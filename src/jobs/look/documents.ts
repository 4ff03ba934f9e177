/**
 * The documents of an image, without a byte of a layer: manifests, configs and the rows of indexes. `ocislim history` and `inspect` are
 * made from what stands here.
 */
import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import type { Image } from '../../image/image.ts';
import type { Limits } from '../../limits.ts';
import { attestedDigest, isAttestation } from '../../oci/attestation.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { JsonObject } from '../../oci/json.ts';
import { parseJsonObject } from '../../oci/json.ts';
import type { Index, IndexChild } from '../../oci/manifest.ts';
import { isIndexType, isManifestType } from '../../oci/media-type.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { Source } from '../../place/place.ts';
import { severalImages } from '../choose-children.ts';
import {
  imageMembers,
  type ImageMember,
  type ImageSet,
  membersBelow,
  type NestedIndex,
  platformOf,
  readImageSet,
} from '../image-set.ts';
import { historyLines, type HistoryLine } from './history.ts';

export interface DocumentOptions {
  readonly source: Source;
  /** Those of the images to read. Empty for all. */
  readonly platforms: readonly Platform[];
  readonly limits: Limits;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** Everything that the documents of a reference say, as plain data. */
export interface DescribedImage {
  /** The reference as the user wrote it. */
  readonly name: string;
  readonly kind: 'image' | 'index' | 'artifact';
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest or index. */
  readonly size: number;
  /** The rows of an index, all of them; null where there is no index. */
  readonly children: readonly DescribedChild[] | null;
  /** The images that were selected, in the order of the index. */
  readonly images: readonly DescribedMember[];
  /** The manifest of what is not an image; null for an image or an index. */
  readonly artifact: JsonObject | null;
  /** What refers to the root: signatures, attestations. Null where they were not asked for. */
  readonly referrers: readonly DescribedReferrer[] | null;
}

/** A row of an index. */
export interface DescribedChild {
  readonly kind: 'image' | 'index' | 'attestation' | 'other';
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** `linux/amd64`; null where the row states none. */
  readonly platform: string | null;
  /** The digest of the image that an attestation is about; null for other rows. */
  readonly about: string | null;
  readonly annotations: Readonly<Record<string, string>>;
  /** The rows of an index in the index; null for other rows, and for an index that was not read. */
  readonly children: readonly DescribedChild[] | null;
}

export interface DescribedMember {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly platform: string | null;
  /** RFC 3339 as the config states it. */
  readonly created: string | null;
  /** Lowest first. */
  readonly layers: readonly DescribedLayer[];
  readonly manifest: JsonObject;
  readonly config: JsonObject;
}

export interface DescribedLayer {
  /** From 1, the lowest. */
  readonly number: number;
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly mediaType: string;
  /** Bytes of the blob. */
  readonly transferBytes: number;
  /** `created_by` of its history row; null where the history does not tell. */
  readonly createdBy: string | null;
}

export interface DescribedReferrer {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Its type as an artifact; null where it states none. */
  readonly artifactType: string | null;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Reads the documents of a reference and says what they hold. @throws what reading manifests and configs throws */
export async function describeImage(
  options: DocumentOptions & { readonly referrers: boolean },
): Promise<DescribedImage> {
  const { source, signal } = options;
  const set = await readDocuments(options);
  const { root, index } = set;
  const { digest, mediaType, size } = root.descriptor;
  const images = imageMembers(set).map(describeMember);
  const kind = index !== null ? 'index' : images.length > 0 ? 'image' : 'artifact';
  const found = options.referrers ? await source.referrers(digest, signal) : null;
  return {
    name: source.label,
    kind,
    digest,
    mediaType,
    size,
    children: index === null ? null : describeRows(index, nestedIn(set)),
    images,
    artifact: kind === 'artifact' ? parseJsonObject(root.bytes, source.label) : null,
    referrers: found?.map(describeReferrer) ?? null,
  };
}

/** Reads the history of one image, the newest step first. @throws USAGE where there are several images, UNSUPPORTED for an artifact */
export async function readHistory(options: DocumentOptions): Promise<readonly HistoryLine[]> {
  return historyLines((await readOne(options)).image);
}

/** Returns the exact bytes of the manifest or index, or of the manifest of the one platform that is asked for. */
export async function readManifest(options: DocumentOptions): Promise<Uint8Array> {
  const { source, platforms, signal } = options;
  const { bytes } = platforms.length === 0 ? await source.root(signal) : (await readOne(options)).raw;
  return bytes;
}

/** Returns the exact bytes of the config of one image. */
export async function readConfig(options: DocumentOptions): Promise<Uint8Array> {
  return (await readOne(options)).image.config.bytes;
}

/** Reads manifests and configs. No blob of a layer is opened, not even for its first bytes. */
function readDocuments(options: DocumentOptions, single = false): Promise<ImageSet> {
  return readImageSet(options.source, { ...options, single, tolerant: true });
}

/** Reads the one image that is selected. @throws USAGE for several, UNSUPPORTED for none, MANIFEST_INVALID for one with a damaged config */
async function readOne(options: DocumentOptions): Promise<ImageMember> {
  const { source } = options;
  const { label } = source;
  const found = imageMembers(await readDocuments(options, true));
  const [first] = found;
  if (first === undefined) {
    // A strict reading says what is wrong with the config of an image.
    await readImageSet(source, { ...options, single: true, actualTypes: false });
    throw new OcislimError('UNSUPPORTED', `${label} is not an image but an artifact of another kind`, {
      advice: `"ocislim inspect ${label}" shows its manifest.`,
    });
  }
  if (found.length === 1) return first;
  throw severalImages(label, found.map(platformOf));
}

function describeMember(member: ImageMember): DescribedMember {
  const { descriptor, manifest, config } = member.image;
  const platform = platformOf(member);
  const created = config.json['created'];
  return {
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    size: descriptor.size,
    platform: platform === null ? null : formatPlatform(platform),
    created: typeof created === 'string' ? created : null,
    layers: describeLayers(member.image),
    manifest: manifest.json,
    config: config.json,
  };
}

function describeLayers(image: Image): DescribedLayer[] {
  const { manifest, config } = image;
  const told = new Map(historyLines(image).map((line) => [line.layer, line.createdBy]));
  return manifest.layers.map(({ digest, mediaType, size }, i) => ({
    number: i + 1,
    digest,
    diffId: config.diffIds[i] as Digest,
    mediaType,
    transferBytes: size,
    createdBy: told.get(i + 1) ?? null,
  }));
}

/** Returns the indexes in the set that were read, by digest. */
function nestedIn(set: ImageSet): ReadonlyMap<Digest, NestedIndex> {
  return new Map(
    membersBelow(set).flatMap((member) =>
      member.kind === 'nested' ? [[member.child.descriptor.digest, member.nested] as const] : [],
    ),
  );
}

/** Describes the rows of an index. `nested` has the indexes whose rows are shown, each in the first row that names it. */
function describeRows({ children }: Index, nested: ReadonlyMap<Digest, NestedIndex>): DescribedChild[] {
  const open = new Map(nested);
  const describe = (rows: readonly IndexChild[]): DescribedChild[] =>
    rows.map((child) => {
      const { digest } = child.descriptor;
      const inner = open.get(digest);
      open.delete(digest);
      return describeChild(child, inner === undefined ? null : describe(inner.index.children));
    });
  return describe(children);
}

function describeChild(child: IndexChild, children: readonly DescribedChild[] | null): DescribedChild {
  const { descriptor, platform } = child;
  const { digest, mediaType, size, annotations } = descriptor;
  return {
    kind: kindOf(child),
    digest,
    mediaType,
    size,
    platform: platform === null ? null : formatPlatform(platform),
    about: attestedDigest(child),
    annotations,
    children,
  };
}

function kindOf(child: IndexChild): DescribedChild['kind'] {
  const { mediaType, json } = child.descriptor;
  if (isAttestation(child)) return 'attestation';
  if (isIndexType(mediaType)) return 'index';
  return isManifestType(mediaType) && typeof json['artifactType'] !== 'string' ? 'image' : 'other';
}

function describeReferrer({ digest, mediaType, size, annotations, json }: Descriptor): DescribedReferrer {
  const { artifactType } = json;
  return {
    digest,
    mediaType,
    artifactType: typeof artifactType === 'string' ? artifactType : null,
    size,
    annotations,
  };
}
