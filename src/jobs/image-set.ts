/**
 * Reads what a reference names as a set of images: one image, or the members of an index. Every job begins here, with manifests
 * and configs only.
 */
import { OcislimError } from '../errors.ts';
import { type Listener, silent } from '../events.ts';
import { defaultLimits, exceeded, type Limits } from '../limits.ts';
import { attestedDigest, isAttestation } from '../oci/attestation.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Image, readImage } from '../image/image.ts';
import { parseImageConfig } from '../oci/image-config.ts';
import { type Index, type IndexChild, isImage, type Manifest, parseManifest } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-type.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import { isCompatible } from '../oci/platform-choice.ts';
import type { RawManifest, Source } from '../place/place.ts';
import { mapParallel } from '../stream/parallel.ts';
import { collect } from '../stream/collect.ts';
import { chooseChildren } from './choose-children.ts';

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
  /** Whether to leave attestations out, which then are not read either. Default: no. */
  readonly imagesOnly?: boolean;
  /** Bounds of manifests and configs. Default: `defaultLimits`. */
  readonly limits?: Limits | undefined;
  /** Receives a warning where several images are equally good for a platform. Default: no listener. */
  readonly listener?: Listener;
  readonly signal: AbortSignal;
}

/**
 * Reads the manifests and configs that a source names: of an index, only those of the images that are chosen, and of their
 * attestations.
 * @throws NOT_FOUND when no image is for a platform asked for; what sources throw
 */
export async function readImageSet(source: Source, options: ImageSetOptions): Promise<ImageSet> {
  const { platforms, platformsOfIndex = [], limits = defaultLimits, signal } = options;
  const documents = new Documents(source, limits);
  const root = await source.root(signal);
  const document = parseManifest(root.bytes, root.descriptor.mediaType, source.label);
  if (document.kind === 'manifest') {
    const image = await readImageOf(documents, root, document, signal);
    requirePlatforms(source, image?.config.platform ?? null, platforms);
    const members = [{ child: null, raw: root, image }];
    return { root, index: null, members, narrowed: false, selected: platforms };
  }
  const selected = platforms.length > 0 ? platforms : platformsOfIndex;
  const members = await readMembers(documents, document, selected, options);
  return { root, index: document, members, narrowed: selected.length > 0, selected };
}

/** @throws NOT_FOUND where a single image is not for all platforms that are wanted */
function requirePlatforms(source: Source, actual: Platform | null, wanted: readonly Platform[]): void {
  const absent = wanted.find((platform) => actual === null || !isCompatible(platform, actual));
  if (absent === undefined) return;
  throw new OcislimError(
    'NOT_FOUND',
    `${source.label} is an image for ${actual === null ? 'an unknown platform' : formatPlatform(actual)}, not for ${formatPlatform(absent)}`,
  );
}

/** Reads the children of an index: all, or those of the platforms wanted with their attestations. */
async function readMembers(
  documents: Documents,
  { children }: Index,
  wanted: readonly Platform[],
  { imagesOnly = false, listener = silent, signal }: ImageSetOptions,
): Promise<readonly Member[]> {
  const { label } = documents.source;
  const read = new Map<IndexChild, Member>();
  const readPlatforms = async (some: readonly IndexChild[]) => {
    const found = await mapParallel(some, requests, signal, (child, _, inner) =>
      readMember(documents, child, inner).catch(passFailure(inner)),
    );
    return found.flatMap((member) => {
      if (member?.child == null || member.image?.config.platform == null) return [];
      read.set(member.child, member);
      return [{ child: member.child, platform: member.image.config.platform }];
    });
  };
  const chosen =
    wanted.length === 0 ? null : await chooseChildren(children, { label, wanted, readPlatforms, listener });
  const taken = chosen === null ? children : withAttestations(children, chosen);
  const members = imagesOnly ? taken.filter((child) => !isAttestation(child)) : taken;
  return mapParallel(
    members,
    requests,
    signal,
    async (child, _, inner) => read.get(child) ?? readMember(documents, child, inner),
  );
}

/** Returns the children chosen and the attestations that are about them, in the order of the index. */
function withAttestations(
  children: readonly IndexChild[],
  chosen: ReadonlySet<IndexChild>,
): readonly IndexChild[] {
  const digests = new Set([...chosen].map(({ descriptor }): string => descriptor.digest));
  return children.filter(
    (child) => chosen.has(child) || (isAttestation(child) && digests.has(attestedDigest(child) ?? '')),
  );
}

/** Turns the failure of a child into null: it may be another one that is wanted. */
function passFailure(signal: AbortSignal): (error: unknown) => null {
  return (error) => {
    signal.throwIfAborted();
    if (error instanceof OcislimError) return null;
    throw error;
  };
}

async function readMember(documents: Documents, child: IndexChild, signal: AbortSignal): Promise<Member> {
  const { source } = documents;
  const raw = await source.manifest(child.descriptor, signal);
  documents.hold(raw.bytes.length);
  if (isIndexType(raw.descriptor.mediaType) || isAttestation(child)) return { child, raw, image: null };
  const parsed = parseManifest(raw.bytes, raw.descriptor.mediaType, `a manifest of ${source.label}`);
  const image = parsed.kind === 'manifest' ? await readImageOf(documents, raw, parsed, signal) : null;
  return { child, raw, image };
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

async function readImageOf(
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
