/**
 * The source for images of an OCI layout (image-spec image-layout.md), in a directory or in a tar. Opened by jobs/openers.ts; Docker
 * archives and the embedded registry read their layouts by it too.
 */
import { Closeable } from '../../closeable.ts';
import { OcislimError } from '../../errors.ts';
import { defaultLimits, exceeded, type Limits } from '../../limits.ts';
import { type Descriptor, makeDescriptor, parseDescriptor } from '../../oci/descriptor.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../../oci/json.ts';
import { refuseTwoReadings, sniffMediaType } from '../../oci/manifest.ts';
import { isIndexType, isManifestType } from '../../oci/media-type.ts';
import { describeReferrer, referrersTag } from '../../oci/referrers.ts';
import type { FileRange, RawManifest, Referrer, Source } from '../../place/place.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { collect } from '../../stream/collect.ts';
import { verify } from '../../stream/verify.ts';
import { type LayoutFiles, noBlob } from './layout-files.ts';
import {
  candidates,
  choicesIn,
  distinct,
  entriesNamed,
  listChoices,
  type Listing,
  type WantedImage,
} from './layout-choice.ts';
import { checkMarker, type LayoutEntry, maxIndex, parseIndexFile, readEntry } from './layout-index.ts';

/** Indexes below index.json that are searched for a name. */
const maxNested = 1000;

type Listed = Omit<Listing, 'place'>;

/** A layout, and which image of it is meant. */
export interface LayoutPlace {
  /** The reference as the user wrote it. */
  readonly label: string;
  /** The place alone, as a reference begins. Default: the label. */
  readonly place?: string;
  readonly files: LayoutFiles;
  readonly wanted: WantedImage;
  readonly limits?: Limits | undefined;
}

/**
 * An image of a layout. Every manifest and blob is verified before or while it is handed out.
 * `root` throws NOT_FOUND for an unknown name, USAGE for one that means several images, ARCHIVE_INVALID.
 */
export class LayoutSource extends Closeable implements Source {
  readonly label: string;
  readonly mountable = null;
  readonly unpacksLayers = false;
  /** What messages begin with. */
  readonly #what: string;
  readonly #place: string;
  readonly #files: LayoutFiles;
  readonly #wanted: WantedImage;
  readonly #limits: Limits;
  /** What each manifest of index.json that was read for its referrers is about; null for most. */
  readonly #subjects = new Map<Digest, unknown>();

  constructor({ label, place = label, files, wanted, limits = defaultLimits }: LayoutPlace) {
    super();
    this.label = label;
    this.#place = place;
    this.#what = `source ${label}`;
    this.#files = files;
    this.#wanted = wanted;
    this.#limits = limits;
  }

  async head(): Promise<null> {
    return null;
  }

  async root(signal: AbortSignal): Promise<RawManifest> {
    const entries = await this.entries(signal);
    return this.load(await this.#find(entries, signal), signal);
  }

  async names(signal: AbortSignal): Promise<readonly string[]> {
    const { digest } = (await this.root(signal)).descriptor;
    const rows = (await this.entries(signal)).filter((entry) => entry.digest === digest);
    const { tag } = this.#wanted;
    const meant = tag === null ? rows : entriesNamed(rows, tag);
    const names = meant.flatMap(({ imageName, refName }) => imageName ?? refName ?? []);
    return [...new Set(names)];
  }

  /** Reads a manifest by its descriptor, verified. @throws LIMIT, NOT_FOUND, SIZE_MISMATCH, DIGEST_MISMATCH */
  async manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    this.#checkSize(descriptor.digest, descriptor.size);
    const bytes = await collect(this.blob(descriptor, signal), descriptor.size, `${this.#what}: a manifest`);
    return { descriptor, bytes };
  }

  /** Streams a verified blob. @throws NOT_FOUND, SIZE_MISMATCH, DIGEST_MISMATCH, IO */
  blob(descriptor: Descriptor, signal: AbortSignal): ByteStream {
    const stored = this.#files.blob(descriptor.digest, signal);
    return verify(stored, descriptor, `${this.#what}: blob ${descriptor.digest}`);
  }

  fileOf({ digest }: Descriptor, signal: AbortSignal): Promise<FileRange> {
    return this.#files.fileOf(digest, signal);
  }

  peek({ digest }: Descriptor, signal: AbortSignal): Promise<FileRange> {
    return this.#files.fileOf(digest, signal);
  }

  /** Searches the manifests that index.json lists, and the tags that stand for referrers in other places. */
  async referrers(digest: Digest, signal: AbortSignal): Promise<readonly Referrer[]> {
    const found = new Map<Digest, Referrer>();
    const read = new Map<Digest, readonly Referrer[]>();
    for (const entry of await this.entries(signal)) {
      if (entry.digest === digest || !mayBeManifest(entry)) continue;
      const isTagged = tagIn(entry)?.startsWith(referrersTag(digest)) === true;
      const about = isTagged ? undefined : this.#subjects.get(entry.digest);
      if (about !== undefined && about !== digest) continue;
      const known = isTagged ? undefined : read.get(entry.digest);
      const here = known ?? (await this.#referrersIn(entry, digest, signal));
      if (!isTagged) read.set(entry.digest, here);
      for (const each of here) found.set(each.digest, joined(found.get(each.digest), each));
    }
    return [...found.values()];
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  /** Returns the rows of index.json. @throws NOT_FOUND, ARCHIVE_INVALID, MANIFEST_INVALID */
  async entries(signal: AbortSignal): Promise<LayoutEntry[]> {
    const marker = await this.#files.read('oci-layout', 4096, signal);
    const index = await this.#files.read('index.json', maxIndex, signal);
    if (marker === null && index === null) {
      const saved = await this.#files.read('manifest.json', maxIndex, signal).catch(() => {
        signal.throwIfAborted();
        return null;
      });
      throw notLayout(this.#what, this.#place, saved !== null);
    }
    if (marker === null) throw new OcislimError('ARCHIVE_INVALID', `${this.#what} has no file "oci-layout"`);
    checkMarker(marker, this.#what);
    if (index === null) throw new OcislimError('ARCHIVE_INVALID', `${this.#what} has no file "index.json"`);
    return parseIndexFile(index, this.#what).rows.map((row) => readEntry(row, this.#what));
  }

  /**
   * Reads the manifest of an entry, and verifies it. A missing media type is guessed from the content.
   * @throws NOT_FOUND, DIGEST_MISMATCH, SIZE_MISMATCH, LIMIT, MANIFEST_INVALID
   */
  async load(entry: LayoutEntry, signal: AbortSignal): Promise<RawManifest> {
    const { digest } = entry;
    const size = await this.#files.blobSize(digest, signal);
    if (size === null) throw noBlob(this.#what, digest);
    this.#checkSize(digest, size);
    const stated = entry.json['size'];
    const what = `${this.#what}: manifest ${digest}`;
    const expected = { digest, size: typeof stated === 'number' ? stated : size };
    const bytes = await collect(verify(this.#files.blob(digest, signal), expected, what), size, what);
    const mediaType = entry.mediaType ?? sniffMediaType(bytes, what);
    return { descriptor: makeDescriptor(mediaType, digest, size), bytes };
  }

  /** Returns the referrers of a digest that one entry stands for, which may be a list of them. */
  async #referrersIn(entry: LayoutEntry, digest: Digest, signal: AbortSignal): Promise<readonly Referrer[]> {
    const manifest = await this.load(entry, signal).catch(passAbsence);
    if (manifest === null) return [];
    const json = parseJsonObject(manifest.bytes, `${this.#what}: ${entry.digest}`);
    const { subject } = json;
    const about = isJsonObject(subject) ? (subject['digest'] ?? null) : null;
    this.#subjects.set(entry.digest, about);
    const refers = about === digest ? [listed(manifest)] : [];
    const tag = tagIn(entry);
    // Tags of registries without a referrers API (distribution-spec, "Referrers Tag Schema"): an index of referrers.
    const base = referrersTag(digest);
    if (tag === base) return [...refers, ...(await this.#childrenThere(json, signal))];
    // Tags of cosign: `sha256-….sig`, `sha256-….att`.
    return tag?.startsWith(`${base}.`) === true ? [{ ...listed(manifest), tags: [tag] }] : refers;
  }

  async #childrenThere(json: JsonObject, signal: AbortSignal): Promise<readonly Descriptor[]> {
    const there: Descriptor[] = [];
    for (const child of childrenOf(json, this.#what)) {
      const raw = await this.load(child, signal).catch(passAbsence);
      if (raw !== null) there.push(listed(raw));
    }
    return there;
  }

  /**
   * Returns the rows of index.json that the reference means: several where they are one image under several names. With a tag and
   * a digest it is the row of the tag.
   * @throws USAGE, NOT_FOUND, as `root`
   */
  async rowsMeant(signal: AbortSignal): Promise<readonly LayoutEntry[]> {
    const entries = await this.entries(signal);
    const { tag, digest } = this.#wanted;
    const wanted = tag === null || digest === null ? this.#wanted : { ...this.#wanted, digest: null };
    const found = await this.#findAll(entries, wanted, signal);
    const rows = found.filter((entry) => entries.includes(entry));
    if (rows.length > 0) return rows;
    throw new OcislimError('USAGE', `${this.#what}: no row of index.json is this image`, {
      advice: 'It is named by an index in the layout. Write to a tag of its own: -t REF.',
    });
  }

  async #find(entries: readonly LayoutEntry[], signal: AbortSignal): Promise<LayoutEntry> {
    const [found] = await this.#findAll(entries, this.#wanted, signal);
    if (found === undefined) throw new OcislimError('NOT_FOUND', `${this.#what} holds no image`);
    return found;
  }

  /** Finds the entries that the reference means, which all have one digest. */
  async #findAll(
    entries: readonly LayoutEntry[],
    { tag, digest, position }: WantedImage,
    signal: AbortSignal,
  ): Promise<readonly LayoutEntry[]> {
    if (digest !== null) return this.#findDigest(entries, digest, signal);
    if (position !== null) return [this.#at(entries, position)];
    if (tag === null) return this.#only(entries);
    const named = entriesNamed(entries, tag);
    if (named.length > 0) return this.#one({ rows: entries, nested: [] }, named, tag);
    const nested = await this.#nested(entries, signal);
    const listed = { rows: entries, nested };
    const deep = entriesNamed(nested, tag);
    if (deep.length > 0) return this.#one(listed, deep, tag);
    const list = this.#list(listed, [...entries, ...nested]);
    throw new OcislimError(
      'NOT_FOUND',
      `${this.#what} has no image named ${JSON.stringify(tag)}${list === '' ? '' : `; it holds${list}`}`,
      list === '' ? { advice: 'It holds no image at all.' } : {},
    );
  }

  /** Returns entries of one name, unless they are several images. */
  #one(listed: Listed, named: readonly LayoutEntry[], tag: string): readonly LayoutEntry[] {
    if (distinct(named).length === 1) return named;
    throw this.#ambiguous(`${JSON.stringify(tag)} means several images`, this.#list(listed, named));
  }

  /** Returns the rows of the only image. */
  #only(entries: readonly LayoutEntry[]): readonly LayoutEntry[] {
    const images = candidates(entries);
    if (distinct(images).length > 1)
      throw this.#ambiguous('it holds several images', this.#list({ rows: entries, nested: [] }, entries));
    return images;
  }

  #at(entries: readonly LayoutEntry[], position: number): LayoutEntry {
    const entry = entries[position];
    if (entry !== undefined) return entry;
    const list = this.#list({ rows: entries, nested: [] }, entries);
    throw new OcislimError(
      'NOT_FOUND',
      `${this.#what}: it holds no image @${position}${list === '' ? '' : `; it holds${list}`}`,
    );
  }

  /** Finds a manifest by digest. It need not be listed: its blob suffices. */
  async #findDigest(
    entries: readonly LayoutEntry[],
    digest: Digest,
    signal: AbortSignal,
  ): Promise<readonly LayoutEntry[]> {
    const { tag } = this.#wanted;
    const rows = entries.filter((entry) => entry.digest === digest);
    // Of several rows with the digest, the tag beside it says which one is meant.
    const named = tag === null ? [] : entriesNamed(rows, tag);
    if (rows.length > 0) return named.length > 0 ? named : rows;
    const listed = (await this.#nested(entries, signal)).find((entry) => entry.digest === digest);
    if (listed !== undefined) return [listed];
    if ((await this.#files.blobSize(digest, signal)) === null) {
      const list = this.#list({ rows: entries, nested: [] }, entries);
      throw new OcislimError(
        'NOT_FOUND',
        `${this.#what} has no manifest ${digest}${list === '' ? '' : `; it holds${list}`}`,
      );
    }
    return [{ digest, mediaType: null, refName: null, imageName: null, json: {} }];
  }

  /** Returns the children of all indexes below index.json, which may hold the names (image-layout.md, "index.json file"). */
  async #nested(entries: readonly LayoutEntry[], signal: AbortSignal): Promise<LayoutEntry[]> {
    const queue = entries.filter(mayBeIndex);
    const seen = new Set<Digest>(queue.map((entry) => entry.digest));
    const found: LayoutEntry[] = [];
    for (const entry of queue) {
      if (queue.length > maxNested) {
        throw new OcislimError(
          'LIMIT',
          `${this.#what} has more than ${maxNested} indexes within one another`,
        );
      }
      const index = await this.load(entry, signal).catch(passAbsence);
      if (index === null) continue;
      const json = parseJsonObject(index.bytes, this.#what);
      refuseTwoReadings(json, this.#what);
      for (const child of childrenOf(json, this.#what)) {
        found.push(child);
        if (!mayBeIndex(child) || seen.has(child.digest)) continue;
        seen.add(child.digest);
        queue.push(child);
      }
    }
    return found;
  }

  /** Lists entries as references that choose them; empty where there are none. */
  #list(listed: Listed, entries: readonly LayoutEntry[]): string {
    return listChoices(choicesIn({ ...listed, place: this.#place }, entries), entries.length);
  }

  #ambiguous(what: string, list: string): OcislimError {
    return new OcislimError('USAGE', `${this.#what}: ${what}${list}`, { advice: 'Write one of these.' });
  }

  /** Refuses a manifest that is too large to be held in memory. @throws LIMIT */
  #checkSize(digest: Digest, size: number): void {
    if (size > this.#limits['manifest-bytes'])
      throw exceeded('manifest-bytes', this.#limits, `${this.#what}: manifest ${digest} is too large`, {
        says: `it has ${size} bytes`,
        needed: size,
      });
  }
}

/** Makes the error for a place that is not a layout: it may be what Docker saved, or the form `dir:` of skopeo. */
function notLayout(what: string, place: string, hasManifest: boolean): OcislimError {
  const message = `${what} is not an OCI layout, or is not there`;
  const path = place.slice(place.indexOf(':') + 1);
  const advice = place.startsWith('oci-archive:')
    ? `It has a file "manifest.json", as docker save writes it: docker-archive:${path}`
    : `It has a file "manifest.json": if skopeo wrote it, make a layout of it: skopeo copy dir:${path} oci:LAYOUT:TAG`;
  return new OcislimError('NOT_FOUND', message, hasManifest ? { advice } : {});
}

/** Returns the tag of a row: `app:1` is one of a registry's repository. */
function tagIn({ refName }: LayoutEntry): string | null {
  return refName === null ? null : refName.slice(refName.lastIndexOf(':') + 1);
}

/** Joins what two rows say of one artifact. */
function joined(one: Referrer | undefined, other: Referrer): Referrer {
  const tags = [...new Set([...(one?.tags ?? []), ...(other.tags ?? [])])];
  return tags.length === 0 ? other : { ...other, tags };
}

/** Returns the descriptor of an artifact as lists of referrers have it. */
function listed(raw: RawManifest): Descriptor {
  return parseDescriptor(describeReferrer(raw), `manifest ${raw.descriptor.digest}`);
}

/** Whether an entry can be an index: old layouts state no media type. */
function mayBeIndex(entry: LayoutEntry): boolean {
  return entry.mediaType === null || isIndexType(entry.mediaType);
}

/** Whether an entry can be a manifest or an index: index.json may list anything (image-layout.md, "index.json file"). */
function mayBeManifest(entry: LayoutEntry): boolean {
  return mayBeIndex(entry) || isManifestType(entry.mediaType ?? '');
}

/** Returns the entries below an index. Rows without a digest are passed over. */
function childrenOf(json: JsonObject, label: string): LayoutEntry[] {
  const rows = Array.isArray(json['manifests']) ? (json['manifests'] as JsonObject[]) : [];
  return rows.filter((row) => isDigest(row?.['digest'])).map((row) => readEntry(row, label));
}

/** Turns NOT_FOUND into null: layouts may be sparse, and list manifests that they do not hold. */
function passAbsence(error: unknown): null {
  if (error instanceof OcislimError && error.code === 'NOT_FOUND') return null;
  throw error;
}
