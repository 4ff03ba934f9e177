/**
 * Reads the members of an image set: manifests, configs, and the indexes in indexes. `readImageSet` makes one for each set.
 */
import { OcislimError } from '../errors.ts';
import { exceeded, type Limits } from '../limits.ts';
import { type Image, readImage } from '../image/image.ts';
import { attestedDigest, isAttestation } from '../oci/attestation.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type ImageConfig, type ParsedConfig, parseConfig, readImageConfig } from '../oci/image-config.ts';
import { type Index, type IndexChild, isImage, type Manifest, parseManifest } from '../oci/manifest.ts';
import { isIndexType, isManifestType, isSchema1Type } from '../oci/media-type.ts';
import type { RawManifest, Source } from '../place/place.ts';
import { mapParallel } from '../stream/parallel.ts';
import { collect } from '../stream/collect.ts';
import { withActualTypes } from './actual-types.ts';
import type { PlacedChild } from './choose-children.ts';
import { RowCount } from './row-count.ts';
import type { ImageMember, Member, NestedIndex, OtherMember } from './image-set.ts';

/** Manifests and configs read at a time: an index may have thousands of children. */
const requests = 6;

export interface MemberReaderOptions {
  readonly limits: Limits;
  /** Whether what cannot be read as an image is taken as it is. */
  readonly tolerant: boolean;
  /** Whether layers get the media types that their bytes should have. */
  readonly actualTypes: boolean;
}

export interface MemberOptions {
  /** The number of indexes around the members. */
  readonly depth: number;
  /** The images to take, with their attestations. Null: all rows. */
  readonly chosen: ReadonlySet<IndexChild> | null;
  readonly signal: AbortSignal;
}

type IndexDocument = Pick<NestedIndex, 'raw' | 'index'>;

/** Reads documents of one source, which are all held. An index is read once, however many rows name it. */
export class MemberReader {
  readonly #source: Source;
  readonly #limits: Limits;
  readonly #tolerant: boolean;
  readonly #actualTypes: boolean;
  readonly #documents = new Map<Digest, Promise<IndexDocument>>();
  readonly #nested = new Map<Digest, Promise<NestedIndex>>();
  readonly #manifests = new Map<IndexChild, Promise<ImageMember | OtherMember>>();
  readonly #rows: RowCount;
  #held = 0;

  constructor(source: Source, { limits, tolerant, actualTypes }: MemberReaderOptions) {
    this.#source = source;
    this.#limits = limits;
    this.#tolerant = tolerant;
    this.#actualTypes = actualTypes;
    this.#rows = new RowCount(source, limits);
  }

  /** The name of the source in messages. */
  get label(): string {
    return this.#source.label;
  }

  /** Returns the index that the root is; null for another document. @throws MANIFEST_INVALID, LIMIT */
  indexIn({ bytes, descriptor }: RawManifest, what = this.#source.label): Index | null {
    if (!isIndexType(descriptor.mediaType)) return null;
    const parsed = parseManifest(bytes, descriptor.mediaType, what);
    if (parsed.kind !== 'index') return null;
    this.#rows.count(parsed.children.length);
    return parsed;
  }

  /** Reads the root of a set that is not an index. */
  root(raw: RawManifest, signal: AbortSignal): Promise<ImageMember | OtherMember> {
    return this.#judge(null, raw, this.label, signal);
  }

  /** Reads the members of an index, in its order. */
  async members(index: Index, { depth, chosen, signal }: MemberOptions): Promise<readonly Member[]> {
    const rows = chosen === null ? index.children : withAttestations(index.children, chosen);
    const read = await mapParallel(rows, requests, signal, (child, _, inner) => {
      const member = this.#member(child, { depth, chosen, signal: inner });
      // An index that holds what was chosen has been read before.
      const mayFail = chosen !== null && !chosen.has(child) && isIndexType(child.descriptor.mediaType);
      return mayFail ? member.catch(passFailure(inner)) : member;
    });
    const members = read.filter((member) => member !== null);
    // Only a choice empties a nested index: what had no rows stays.
    return members.filter(
      (member) => chosen === null || member.kind !== 'nested' || member.nested.members.length > 0,
    );
  }

  /** Returns the rows of an index and of those in it. `depth` counts the indexes around them. */
  async rowsBelow(index: Index, depth: number, signal: AbortSignal): Promise<readonly IndexChild[]> {
    const seen = new Set<Index>();
    const below = async (each: Index, level: number): Promise<readonly IndexChild[]> => {
      if (seen.has(each)) return [];
      seen.add(each);
      const rows: IndexChild[] = [];
      for (const child of each.children) {
        rows.push(child);
        if (!isIndexType(child.descriptor.mediaType)) continue;
        // An index that cannot be read may be another one than is wanted.
        const nested = await this.#document(child, level, signal).catch(passFailure(signal));
        if (nested !== null) for (const row of await below(nested.index, level + 1)) rows.push(row);
      }
      return rows;
    };
    return below(index, depth);
  }

  /** Reads the platforms that the configs of images state. A row that fails may be another one than is wanted. */
  async platforms(rows: readonly IndexChild[], signal: AbortSignal): Promise<readonly PlacedChild[]> {
    const found = await mapParallel(rows, requests, signal, async (child, _, inner) => {
      const member = await this.#manifest(child, inner).catch(passFailure(inner));
      const platform = member?.kind === 'image' ? member.image.config.platform : null;
      return platform === null ? [] : [{ child, platform }];
    });
    return found.flat();
  }

  /** Of attestations, blobs and unknown types nothing is read: what they hold decides about nothing. */
  async #member(child: IndexChild, options: MemberOptions): Promise<Member> {
    const { mediaType } = child.descriptor;
    if (isIndexType(mediaType)) return { kind: 'nested', child, nested: await this.#index(child, options) };
    if (!isManifestType(mediaType) || isAttestation(child)) return { kind: 'other', child, raw: null };
    return this.#manifest(child, options.signal);
  }

  #index(child: IndexChild, options: MemberOptions): Promise<NestedIndex> {
    const { digest } = child.descriptor;
    const known = this.#nested.get(digest);
    if (known !== undefined) return known;
    const reading = this.#readIndex(child, options);
    this.#nested.set(digest, reading);
    return reading;
  }

  async #readIndex(child: IndexChild, { depth, ...options }: MemberOptions): Promise<NestedIndex> {
    const { raw, index } = await this.#document(child, depth, options.signal);
    return { raw, index, members: await this.members(index, { ...options, depth: depth + 1 }) };
  }

  #document({ descriptor }: IndexChild, depth: number, signal: AbortSignal): Promise<IndexDocument> {
    if (depth >= this.#limits['index-depth'])
      throw exceeded(
        'index-depth',
        this.#limits,
        `${this.#source.label} has too many indexes in each other`,
        { says: `index ${descriptor.digest} lies in ${depth} others`, atLeast: depth + 1 },
      );
    const known = this.#documents.get(descriptor.digest);
    if (known !== undefined) return known;
    const reading = this.#read(descriptor, signal).then((raw) => {
      const index = this.indexIn(raw, this.#nameOf(descriptor)) as Index;
      return { raw, index };
    });
    this.#documents.set(descriptor.digest, reading);
    return reading;
  }

  async #read(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    const raw = await this.#source.manifest(descriptor, signal);
    this.#hold(raw.bytes.length);
    return raw;
  }

  /** Reads what a row names, each once. */
  #manifest(child: IndexChild, signal: AbortSignal): Promise<ImageMember | OtherMember> {
    const known = this.#manifests.get(child);
    if (known !== undefined) return known;
    const reading = this.#read(child.descriptor, signal).then((raw) =>
      this.#judge(child, raw, this.#nameOf(child.descriptor), signal),
    );
    this.#manifests.set(child, reading);
    return reading;
  }

  async #judge(
    child: IndexChild | null,
    raw: RawManifest,
    what: string,
    signal: AbortSignal,
  ): Promise<ImageMember | OtherMember> {
    const image = await this.#image(raw, what, signal);
    return image === null ? { kind: 'other', child, raw } : { kind: 'image', child, raw, image };
  }

  /** Reads an image; null for an artifact in the form of a manifest. */
  async #image({ bytes, descriptor }: RawManifest, what: string, signal: AbortSignal): Promise<Image | null> {
    const { mediaType } = descriptor;
    if (!isManifestType(mediaType) && !isSchema1Type(mediaType)) return null;
    const parsed = parseManifest(bytes, mediaType, what);
    if (parsed.kind !== 'manifest' || !isImage(parsed)) return null;
    const whose = `the config of ${what}`;
    const config = this.#imageConfig(parseConfig(await this.#config(parsed, signal), whose), parsed, whose);
    if (config === null) return null;
    const image = readImage(descriptor, parsed, config);
    return this.#actualTypes ? withActualTypes(image, this.#source, signal) : image;
  }

  /** Reads what a config says; null for one that is not of an image, where such are taken as they are. */
  #imageConfig(parsed: ParsedConfig, { layers }: Manifest, what: string): ImageConfig | null {
    try {
      return readImageConfig(parsed, layers.length, what);
    } catch (error) {
      if (this.#tolerant && error instanceof OcislimError && error.code === 'MANIFEST_INVALID') return null;
      throw error;
    }
  }

  async #config({ config }: Manifest, signal: AbortSignal): Promise<Uint8Array> {
    const most = this.#limits['config-bytes'];
    const what = `the config of ${this.#source.label} is too large`;
    if (config.size > most)
      throw exceeded('config-bytes', this.#limits, what, {
        says: `it states ${config.size} bytes`,
        needed: config.size,
      });
    // No place gives more than the descriptor states.
    const bytes = await collect(this.#source.blob(config, signal), config.size, what);
    this.#hold(bytes.length);
    return bytes;
  }

  #hold(bytes: number): void {
    this.#held += bytes;
    if (this.#held > this.#limits['document-bytes'])
      throw exceeded('document-bytes', this.#limits, `${this.#source.label} has too many images`, {
        says: `manifests and configs read so far have ${this.#held} bytes together`,
        atLeast: this.#held,
      });
  }

  #nameOf({ digest }: Descriptor): string {
    return `manifest ${digest} of ${this.#source.label}`;
  }
}

/** Returns the rows chosen and the attestations that are about them, and the indexes that may hold some, in the order of the index. */
function withAttestations(
  rows: readonly IndexChild[],
  chosen: ReadonlySet<IndexChild>,
): readonly IndexChild[] {
  const digests = new Set([...chosen].map(({ descriptor }): string => descriptor.digest));
  const isBelow = [...chosen].some((child) => !rows.includes(child));
  return rows.filter(
    (child) =>
      chosen.has(child) ||
      (isAttestation(child) && digests.has(attestedDigest(child) ?? '')) ||
      (isBelow && isIndexType(child.descriptor.mediaType)),
  );
}

/** Turns the failure of a row into null. */
function passFailure(signal: AbortSignal): (error: unknown) => null {
  return (error) => {
    signal.throwIfAborted();
    if (error instanceof OcislimError && error.code !== 'LIMIT') return null;
    throw error;
  };
}
