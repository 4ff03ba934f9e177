/**
 * Reads what a reference names as a set of images: one image, or the members of an index, and of the indexes in it. Every job
 * begins here, with manifests and configs only.
 */
import { OcislimError } from '../errors.ts';
import { type Listener, silent } from '../events.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import type { Image } from '../image/image.ts';
import type { Index, IndexChild } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-type.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import { isCompatible } from '../oci/platform-choice.ts';
import { withoutVariants } from '../oci/variants.ts';
import type { RawManifest, Source } from '../place/place.ts';
import { chooseChildren, onlyChild } from './choose-children.ts';
import { MemberReader } from './member-reader.ts';

/** A member of an image set. `child` is its row in the index; null for the root itself. */
export type Member = ImageMember | NestedMember | OtherMember;

/** An image to run. */
export interface ImageMember {
  readonly kind: 'image';
  readonly child: IndexChild | null;
  readonly raw: RawManifest;
  readonly image: Image;
}

/** An index in the index. */
export interface NestedMember {
  readonly kind: 'nested';
  readonly child: IndexChild;
  /** The same object in every row that names this index. */
  readonly nested: NestedIndex;
}

export interface NestedIndex {
  readonly raw: RawManifest;
  readonly index: Index;
  /** Those selected, in the index's order. */
  readonly members: readonly Member[];
}

/** Attestations, artifacts, blobs and whatever else is not an image: no stage touches them. */
export interface OtherMember {
  readonly kind: 'other';
  readonly child: IndexChild | null;
  /** Null where nothing of it has been read. */
  readonly raw: RawManifest | null;
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
  /** Whether an image whose config is not that of an image is taken as it is, as a copy does. Default: no. */
  readonly tolerant?: boolean;
  /** Whether layers get the media types that their bytes should have. Default: unless `tolerant`. */
  readonly actualTypes?: boolean;
  /** Whether one image is needed: of an index without a platform wanted, it is the only one. Default: no. */
  readonly single?: boolean;
  /**
   * Whether of an image that an index has in gzip and in zstd both are taken, or the one in gzip. Default: both, unless one image is
   * needed.
   */
  readonly variants?: 'all' | 'one';
  /** Bounds of manifests and configs. Default: `defaultLimits`. */
  readonly limits?: Limits | undefined;
  /** Receives a warning where several images are equally good for a platform. Default: no listener. */
  readonly listener?: Listener;
  readonly signal: AbortSignal;
}

/**
 * Reads the manifests and configs that a source names: of an index, only those of the images that are chosen.
 * @throws NOT_FOUND when no image is for a platform asked for; USAGE for several where one is needed; what sources throw
 */
export async function readImageSet(source: Source, options: ImageSetOptions): Promise<ImageSet> {
  const { platforms, platformsOfIndex = [], tolerant = false, limits = defaultLimits, signal } = options;
  const { actualTypes = !tolerant, variants = options.single === true ? 'one' : 'all' } = options;
  const reader = new MemberReader(source, { limits, tolerant, actualTypes });
  const root = await source.root(signal);
  const index = reader.indexIn(root);
  if (index === null) {
    const member = await reader.root(root, signal);
    requirePlatforms(source, member, platforms);
    return { root, index: null, members: [member], narrowed: false, selected: platforms };
  }
  const selected = platforms.length > 0 ? platforms : platformsOfIndex;
  const only =
    options.single === true && selected.length === 0 ? onlyChild(index.children, source.label) : null;
  const chosen =
    selected.length > 0
      ? await chooseRows(reader, index, selected, { ...options, variants })
      : only && new Set([only]);
  const rows = variants === 'one' && chosen === null ? withoutVariants(index.children) : index.children;
  const members = await reader.members({ ...index, children: rows }, { depth: 1, chosen, signal });
  return { root, index, members, narrowed: selected.length > 0, selected };
}

/**
 * Returns all members of a set and of the indexes in it, in their order. What stands in an index comes once, however many rows
 * name the index: rows that name one another would otherwise multiply at each depth.
 */
export function membersBelow({ members }: Pick<ImageSet, 'members'>): readonly Member[] {
  const found: Member[] = [];
  const seen = new Set<NestedIndex>();
  const visit = (member: Member): void => {
    found.push(member);
    if (member.kind !== 'nested' || seen.has(member.nested)) return;
    seen.add(member.nested);
    member.nested.members.forEach(visit);
  };
  members.forEach(visit);
  return found;
}

/** Returns the images of a set, those of nested indexes too: each row once. */
export function imageMembers(set: Pick<ImageSet, 'members'>): readonly ImageMember[] {
  return membersBelow(set).filter((member) => member.kind === 'image');
}

/** Returns the platform of an image: as its row states it, else as its config does. */
export function platformOf({ child, image }: ImageMember): Platform | null {
  return child?.platform ?? image.config.platform;
}

/** @throws NOT_FOUND where a single image is not for all platforms that are wanted */
function requirePlatforms(source: Source, member: Member, wanted: readonly Platform[]): void {
  const actual = member.kind === 'image' ? member.image.config.platform : null;
  const absent = wanted.find((platform) => actual === null || !isCompatible(platform, actual));
  if (absent === undefined) return;
  throw new OcislimError(
    'NOT_FOUND',
    `${source.label} is an image for ${actual === null ? 'an unknown platform' : formatPlatform(actual)}, not for ${formatPlatform(absent)}`,
    actual === null ? {} : { advice: `Name its platform: --platform ${formatPlatform(actual)}.` },
  );
}

/**
 * Chooses rows of an index by their platforms. Indexes in it are read only where its own rows do not have a platform.
 * @throws NOT_FOUND where no image is for a platform
 */
async function chooseRows(
  reader: MemberReader,
  index: Index,
  wanted: readonly Platform[],
  { listener = silent, variants = 'all', signal }: ImageSetOptions,
): Promise<ReadonlySet<IndexChild>> {
  const readPlatforms = (rows: readonly IndexChild[]) => reader.platforms(rows, signal);
  const choose = (rows: readonly IndexChild[]) =>
    chooseChildren(rows, { label: reader.label, variants, wanted, readPlatforms, listener });
  try {
    return await choose(index.children);
  } catch (error) {
    const isAbsent = error instanceof OcislimError && error.code === 'NOT_FOUND';
    if (!isAbsent || !index.children.some(({ descriptor }) => isIndexType(descriptor.mediaType))) throw error;
    return choose(await reader.rowsBelow(index, 1, signal));
  }
}
