import { Closeable } from '../../closeable.ts';
import { OcislimError } from '../../errors.ts';
import { defaultLimits, exceeded, type Limits } from '../../limits.ts';
import { type Descriptor, makeDescriptor } from '../../oci/descriptor.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { type JsonObject, parseJsonObject } from '../../oci/json.ts';
import { isIndexType, isManifestType } from '../../oci/media-type.ts';
import { refuseTwoReadings, sniffMediaType } from '../../oci/manifest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { collect } from '../../stream/collect.ts';
import { verify } from '../../stream/verify.ts';
import type { RawManifest, Source } from '../../place/place.ts';
import { type LayoutFiles, noBlob } from './layout-files.ts';
import {
  checkMarker,
  distinct,
  entriesNamed,
  type LayoutEntry,
  listEntries,
  maxIndex,
  parseIndexFile,
  readEntry,
} from './layout-index.ts';

/** How many indexes inside index.json are searched for a name. */
const maxNested = 1000;

/** Which image of a layout is meant. */
export interface Wanted {
  readonly tag: string | null;
  /** Wins over the tag, as in a registry. */
  readonly digest: Digest | null;
}

/**
 * An OCI layout as a source: verifies every manifest and blob that it hands out.
 * Its `root` throws NOT_FOUND for a name that is not there, USAGE for one that means several images, ARCHIVE_INVALID.
 */
export class LayoutSource extends Closeable implements Source {
  readonly label: string;
  readonly mountable = null;
  /** The label for messages. */
  readonly #what: string;
  readonly #files: LayoutFiles;
  readonly #wanted: Wanted;
  readonly #limits: Limits;

  constructor(label: string, files: LayoutFiles, wanted: Wanted, limits: Limits = defaultLimits) {
    super();
    this.label = label;
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

  async manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    this.#checkSize(descriptor.digest, descriptor.size);
    const bytes = await collect(this.blob(descriptor, signal), descriptor.size, `${this.#what}: a manifest`);
    return { descriptor, bytes };
  }

  blob(descriptor: Descriptor, signal: AbortSignal): ByteStream {
    const stored = this.#files.blob(descriptor.digest, signal);
    return verify(stored, descriptor, `${this.#what}: blob ${descriptor.digest}`);
  }

  async referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]> {
    const found = new Map<Digest, Descriptor>();
    const hex = digest.slice(digest.indexOf(':') + 1);
    for (const entry of await this.entries(signal)) {
      if (found.has(entry.digest) || entry.digest === digest || !mayBeManifest(entry)) continue;
      const manifest = await this.load(entry, signal).catch(notThere);
      if (manifest === null) continue;
      const json = parseJsonObject(manifest.bytes, `${this.#what}: ${entry.digest}`);
      if ((json['subject'] as JsonObject | undefined)?.['digest'] === digest) {
        found.set(entry.digest, manifest.descriptor);
      }
      const name = entry.refName?.slice(entry.refName.lastIndexOf(':') + 1);
      // The tags of registries without a referrers API (distribution-spec) and of cosign.
      if (name === `sha256-${hex}`) {
        for (const child of children(json, this.#what)) {
          const listed = await this.load(child, signal).catch(notThere);
          if (listed !== null) found.set(child.digest, listed.descriptor);
        }
      } else if (name?.startsWith(`sha256-${hex}.`)) {
        found.set(entry.digest, manifest.descriptor);
      }
    }
    return [...found.values()];
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  /** The rows of index.json. @throws NOT_FOUND, ARCHIVE_INVALID, MANIFEST_INVALID */
  async entries(signal: AbortSignal): Promise<LayoutEntry[]> {
    const marker = await this.#files.read('oci-layout', 4096, signal);
    const index = await this.#files.read('index.json', maxIndex, signal);
    if (marker === null && index === null) {
      throw new OcislimError('NOT_FOUND', `${this.#what} is not an OCI layout, or is not there`);
    }
    if (marker === null) throw new OcislimError('ARCHIVE_INVALID', `${this.#what} has no file "oci-layout"`);
    checkMarker(marker, this.#what);
    if (index === null) throw new OcislimError('ARCHIVE_INVALID', `${this.#what} has no file "index.json"`);
    return parseIndexFile(index, this.#what).rows.map((row) => readEntry(row, this.#what));
  }

  /** The manifest of an entry, verified; a media type that is missing is told from its content. */
  async load(entry: LayoutEntry, signal: AbortSignal): Promise<RawManifest> {
    const { digest } = entry;
    const size = await this.#files.blobSize(digest, signal);
    if (size === null) throw noBlob(this.#what, digest);
    this.#checkSize(digest, size);
    const stated = entry.json['size'];
    const what = `${this.#what}: manifest ${digest}`;
    const expected = { digest, size: typeof stated === 'number' ? stated : size };
    const bytes = await collect(verify(this.#files.blob(digest, signal), expected, what), size, what);
    return {
      descriptor: makeDescriptor(entry.mediaType ?? sniffMediaType(bytes, what), digest, size),
      bytes,
    };
  }

  async #find(entries: readonly LayoutEntry[], signal: AbortSignal): Promise<LayoutEntry> {
    const { tag, digest } = this.#wanted;
    if (digest !== null) return this.#findDigest(entries, digest, signal);
    if (tag === null) return this.#only(entries);
    let named = entriesNamed(entries, tag);
    if (named.length === 0) named = entriesNamed(await this.#nested(entries, signal), tag);
    const [found, ...others] = named;
    if (found === undefined) {
      throw new OcislimError('NOT_FOUND', `${this.#what}: there is no image named ${JSON.stringify(tag)}`, {
        advice: entries.length === 0 ? 'It holds no image at all.' : `It holds: ${listEntries(entries)}.`,
      });
    }
    if (others.length > 0) throw this.#ambiguous(`${JSON.stringify(tag)} means several images`, named);
    return found;
  }

  /** Without a name: the only image that has one, else the only image. */
  #only(entries: readonly LayoutEntry[]): LayoutEntry {
    const named = distinct(entries.filter((entry) => entry.refName !== null || entry.imageName !== null));
    const candidates = named.length > 0 ? named : distinct(entries);
    const [found, ...others] = candidates;
    if (found === undefined) throw new OcislimError('NOT_FOUND', `${this.#what} holds no image`);
    if (others.length > 0) throw this.#ambiguous('it holds several images', entries);
    return found;
  }

  async #findDigest(
    entries: readonly LayoutEntry[],
    digest: Digest,
    signal: AbortSignal,
  ): Promise<LayoutEntry> {
    const listed =
      entries.find((entry) => entry.digest === digest) ??
      (await this.#nested(entries, signal)).find((entry) => entry.digest === digest);
    if (listed !== undefined) return listed;
    if ((await this.#files.blobSize(digest, signal)) === null) {
      throw new OcislimError('NOT_FOUND', `${this.#what}: there is no manifest ${digest}`);
    }
    return { digest, mediaType: null, refName: null, imageName: null, json: {} };
  }

  /** The children of all indexes below index.json (image-layout.md: an index there may hold the references). */
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
      const index = await this.load(entry, signal).catch(notThere);
      if (index === null) continue;
      const json = parseJsonObject(index.bytes, this.#what);
      refuseTwoReadings(json, this.#what);
      for (const child of children(json, this.#what)) {
        found.push(child);
        if (!mayBeIndex(child) || seen.has(child.digest)) continue;
        seen.add(child.digest);
        queue.push(child);
      }
    }
    return found;
  }

  #ambiguous(what: string, entries: readonly LayoutEntry[]): OcislimError {
    return new OcislimError('USAGE', `${this.#what}: ${what}: ${listEntries(entries)}`, {
      advice: 'Name one of them by its tag or its digest.',
    });
  }

  #checkSize(digest: Digest, size: number): void {
    if (size > this.#limits['manifest-bytes'])
      throw exceeded(
        'manifest-bytes',
        this.#limits,
        `${this.#what}: manifest ${digest} is too large`,
        `it has ${size} bytes`,
      );
  }
}

function mayBeIndex(entry: LayoutEntry): boolean {
  return entry.mediaType === null || isIndexType(entry.mediaType);
}

/** index.json may list anything (image-layout.md, "index.json file"). */
function mayBeManifest(entry: LayoutEntry): boolean {
  return mayBeIndex(entry) || isManifestType(entry.mediaType ?? '');
}

function children(json: JsonObject, label: string): LayoutEntry[] {
  const rows = Array.isArray(json['manifests']) ? (json['manifests'] as JsonObject[]) : [];
  return rows.filter((row) => isDigest(row?.['digest'])).map((row) => readEntry(row, label));
}

/** Layouts may be sparse: a manifest that is listed need not be there. */
function notThere(error: unknown): null {
  if (error instanceof OcislimError && error.code === 'NOT_FOUND') return null;
  throw error;
}
