/**
 * Copies what a document names, byte for byte, and the document after it. `writeManifests` copies by it what is not an image:
 * attestations, artifacts, caches of builds, and whatever else an index may list.
 */
import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import { isElsewhere } from '../../layers/write/adopt-layer.ts';
import { exceeded, type Limits } from '../../limits.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isIndexType, isManifestType } from '../../oci/media-type.ts';
import { isDocument, namedIn, rowKind } from '../../oci/named.ts';
import type { RawManifest, Source, Target } from '../../place/place.ts';
import { collect } from '../../stream/collect.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { RowCount } from '../row-count.ts';
import type { OtherBytes } from './records.ts';

/** Rows and blobs of one document that are copied at a time. */
const copies = 6;

export interface TreeCopierOptions {
  readonly source: Source;
  readonly target: Target;
  readonly limits: Limits;
  readonly listener: Listener;
  /** Counts the bytes of blobs, by how they came to the target. */
  readonly others: OtherBytes;
}

/**
 * Copies documents with all below them. What is named twice is copied once: in a chain of indexes that each name the next one
 * twice, the work would double with every index.
 */
export class TreeCopier {
  readonly #options: TreeCopierOptions;
  readonly #copied = new Map<Digest, Promise<void>>();
  readonly #rows: RowCount;

  constructor(options: TreeCopierOptions) {
    this.#options = options;
    this.#rows = new RowCount(options.source, options.limits);
  }

  /** Copies a row of an index. `raw`: the document, where it has been read. `depth` counts the indexes around it. */
  copyRow(
    descriptor: Descriptor,
    raw: RawManifest | null,
    depth: number,
    signal: AbortSignal,
  ): Promise<void> {
    const known = this.#copied.get(descriptor.digest);
    if (known !== undefined) return known;
    const copying = this.#copyRow(descriptor, raw, depth, signal);
    this.#copied.set(descriptor.digest, copying);
    return copying;
  }

  /** Copies all that a document names. `depth` counts the indexes around it. @throws LIMIT, and what places throw */
  async copyBelow(raw: RawManifest, depth: number, signal: AbortSignal): Promise<void> {
    const { source, limits } = this.#options;
    const { mediaType, digest } = raw.descriptor;
    if (depth >= limits['index-depth'] && isIndexType(mediaType))
      throw exceeded('index-depth', limits, `${source.label} has too many indexes in each other`, {
        says: `index ${digest} lies in ${depth} others`,
        atLeast: depth + 1,
      });
    const { rows, blobs } = namedIn(raw.bytes, mediaType, `manifest ${digest} of ${source.label}`);
    if (isIndexType(mediaType)) this.#rows.count(rows.length);
    await mapParallel(rows, copies, signal, (row, _, inner) => this.copyRow(row, null, depth + 1, inner));
    await mapParallel(blobs, copies, signal, async (blob, _, inner) => {
      await this.#adopt(blob, inner);
    });
  }

  async #copyRow(
    descriptor: Descriptor,
    raw: RawManifest | null,
    depth: number,
    signal: AbortSignal,
  ): Promise<void> {
    const document = raw ?? (await this.#read(descriptor, signal));
    if (document === null) {
      return this.#adopt(descriptor, signal);
    }
    await this.copyBelow(document, depth, signal);
    await this.#put(document, signal);
  }

  /** Brings a blob to the target. */
  async #adopt(blob: Descriptor, signal: AbortSignal): Promise<void> {
    const { source, target, others } = this.#options;
    if (isElsewhere(blob)) return;
    others[await target.adopt(blob, source, signal)] += blob.size;
  }

  /** Reads a row that is a document; null for a blob. */
  async #read(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest | null> {
    const { source, limits } = this.#options;
    const { mediaType, size } = descriptor;
    switch (rowKind(mediaType)) {
      case 'document': {
        const read = source.manifest(descriptor, signal);
        if (isIndexType(mediaType) || isManifestType(mediaType)) return read;
        // A registry that refused the type got the document as a blob.
        return (await read.catch(nullWhereRefused)) ?? this.#readBlob(descriptor, signal);
      }
      case 'blob':
        return null;
      case 'unknown': {
        if (size > limits['manifest-bytes']) return null;
        const read = source.manifest(descriptor, signal);
        // A registry keeps the two apart, and has it as what it was pushed as. A folder has one kind of file.
        if (source.mountable !== null) return read.catch(nullWhereRefused);
        const raw = await read;
        return isDocument(raw.bytes, mediaType) ? raw : null;
      }
    }
  }

  async #readBlob(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    const { source, limits } = this.#options;
    const stream = source.blob(descriptor, signal);
    const what = `manifest ${descriptor.digest} of ${source.label}`;
    return { descriptor, bytes: await collect(stream, limits['manifest-bytes'], what) };
  }

  /** Puts a document. A target that refuses its type gets it as a blob, which an index may list too. */
  async #put(raw: RawManifest, signal: AbortSignal): Promise<void> {
    const { target, listener } = this.#options;
    const { digest, mediaType } = raw.descriptor;
    if (isIndexType(mediaType) || isManifestType(mediaType)) return target.putManifest(raw, signal);
    try {
      await target.putManifest(raw, signal);
    } catch (error) {
      nullWhereRefused(error);
      await target.put(raw.bytes, raw.descriptor, signal);
      listener({
        type: 'warning',
        code: 'NOT_AN_IMAGE',
        message: `${digest} in the index is there as a blob only: ${target.label} takes no manifests of the type ${JSON.stringify(mediaType)}`,
      });
    }
  }
}

/** Returns null where a place does not have a document, or refuses its type. @throws any other error */
function nullWhereRefused(error: unknown): null {
  const codes = ['NOT_FOUND', 'REGISTRY', 'UNSUPPORTED', 'MANIFEST_INVALID', 'MEDIA_TYPE'];
  if (error instanceof OcislimError && codes.includes(error.code)) return null;
  throw error;
}
