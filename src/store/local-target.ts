/**
 * The target for places on this machine's disk: what layouts and archives have in common. Made by jobs/openers.ts over
 * a `LayoutStorage` or an `ArchiveStorage`.
 */
import { Closeable } from '../closeable.ts';
import { OcislimError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type Family, layerKind } from '../oci/media-type.ts';
import { namedIn } from '../oci/named.ts';
import type { Packing } from '../oci/packing-notes.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { streamOf } from '../stream/collect.ts';
import { type Sealing, sealedAs, tally } from '../stream/seal.ts';
import { verify } from '../stream/verify.ts';
import type { BlobCopying } from '../files/blob-file.ts';
import { type Attachment, attachmentOf } from './attachments.ts';
import type {
  Adoption,
  FileRange,
  Produce,
  RawManifest,
  Source,
  StagedBlob,
  Target,
} from '../place/place.ts';

/** A blob that a storage has written to its end, and that is not known under a digest yet. */
export interface TakenBlob {
  /** Makes the blob known under its digest. @throws DIGEST_MISMATCH, SIZE_MISMATCH, IO */
  keep(digest: Digest, size: number): Promise<void>;
  /** Discards the blob. Never fails. */
  drop(): Promise<void>;
}

/** The parts in which local places differ: where blobs are written, and how they become visible. */
export interface BlobStorage {
  /** Whether `take` takes any number of streams side by side. Default: one after the other. */
  readonly takesSideBySide?: boolean;
  /** Returns the length of a blob, visible or only kept so far; null for an unknown digest. */
  sizeOf(digest: Digest): Promise<number | null>;
  /**
   * Writes a stream to its end, and hashes it unless it carries its seal. After an error nothing is left of it. `expected`: the digest
   * that it will be kept under, where that is known.
   */
  take(stream: ByteStream | Sealing, signal: AbortSignal, expected?: Digest): Promise<TakenBlob>;
  /**
   * Writes a blob that lies in a file of this machine, and verifies what it writes. After an error nothing is left of it.
   * Default: such a blob is a stream as any other.
   */
  copy?(from: FileRange, copying: BlobCopying): Promise<TakenBlob>;
  /** Notes an artifact, which `publish` makes known. Its manifest has been taken. */
  attach(attachment: Attachment): void;
  /** Makes all kept blobs visible, the names last. */
  publish(root: RawManifest, signal: AbortSignal, packing?: Packing): Promise<void>;
  /** Removes what has not been published. */
  close(): Promise<void>;
}

/** A target over a storage. It decides what is written; the storage, where. */
export class LocalTarget extends Closeable implements Target {
  readonly label: string;
  readonly mountable = null;
  readonly layerFormat: 'any' | 'plain';
  readonly takesSideBySide: boolean;
  readonly family: Family | null;
  readonly nameOf: (digest: Digest) => string;
  readonly #storage: BlobStorage;
  /** Copies under way, by digest: a layer that two platforms share is copied once. */
  readonly #copies = new Map<Digest, Promise<unknown>>();

  /** @param nameOf makes the reference of the result, for reports */
  constructor(
    label: string,
    storage: BlobStorage,
    layerFormat: 'any' | 'plain',
    nameOf: (digest: Digest) => string,
  ) {
    super();
    this.label = label;
    this.layerFormat = layerFormat;
    this.takesSideBySide = storage.takesSideBySide === true;
    // Skopeo and umoci read no Docker manifest in a layout; in a Docker archive nothing reads manifests.
    this.family = layerFormat === 'any' ? 'oci' : null;
    this.nameOf = nameOf;
    this.#storage = storage;
  }

  async has(descriptor: Descriptor, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    return (await this.#storage.sizeOf(descriptor.digest)) === descriptor.size;
  }

  /** A blob of the right size under the digest counts as present: it was verified when it was written, and is not read again. */
  async adopt(
    descriptor: Descriptor,
    source: Source,
    signal: AbortSignal,
    onBytes: (count: number) => void = () => {},
  ): Promise<Adoption> {
    await this.#copies.get(descriptor.digest)?.catch(() => {});
    if (await this.has(descriptor, signal)) return 'present';
    // Another copy may have begun while the storage was asked.
    const again = this.#copies.get(descriptor.digest);
    if (again !== undefined) return this.adopt(descriptor, source, signal, onBytes);
    const copy = this.#bring(descriptor, source, onBytes, signal);
    this.#copies.set(descriptor.digest, copy);
    try {
      await copy;
      return 'copied';
    } finally {
      this.#copies.delete(descriptor.digest);
    }
  }

  /** Writes a blob of unknown digest. A commit under another digest than that of its bytes fails, and discards it. */
  async stage(produce: Produce, signal: AbortSignal): Promise<StagedBlob> {
    const taken = await this.#storage.take(produce(), signal);
    return {
      commit: async (digest, size, signal) => {
        try {
          signal.throwIfAborted();
          await taken.keep(digest, size);
        } catch (error) {
          await taken.drop();
          throw error;
        }
      },
      abort: () => taken.drop(),
    };
  }

  async put(bytes: Uint8Array, descriptor: Descriptor, signal: AbortSignal): Promise<void> {
    if (await this.has(descriptor, signal)) return;
    const stream = verify(streamOf(bytes), descriptor, `destination ${this.label}: ${descriptor.digest}`);
    await this.#copy(descriptor, sealedAs(stream, descriptor), signal);
  }

  /** @throws MANIFEST_INVALID, and ARCHIVE_INVALID where a blob or manifest that it names is missing */
  async putManifest(manifest: RawManifest, signal: AbortSignal): Promise<void> {
    const { bytes, descriptor } = manifest;
    const what = `destination ${this.label}: manifest ${descriptor.digest}`;
    const { rows, blobs } = namedIn(bytes, descriptor.mediaType, what);
    for (const blob of [...rows, ...blobs]) {
      if (layerKind(blob.mediaType).kind === 'foreign') continue;
      if (await this.has(blob, signal)) continue;
      throw new OcislimError('ARCHIVE_INVALID', `${what} names ${blob.digest}, which is not there`);
    }
    await this.put(bytes, descriptor, signal);
  }

  /** @throws UNSUPPORTED for what `docker load` reads, and as `putManifest` */
  async attach(artifact: RawManifest, signal: AbortSignal, tag?: string): Promise<boolean> {
    const what = `destination ${this.label}: manifest ${artifact.descriptor.digest}`;
    if (this.layerFormat === 'plain')
      throw new OcislimError('UNSUPPORTED', `${what}: docker load reads nothing about an image`, {
        advice: 'Write an OCI archive, a layout, or to a registry.',
      });
    await this.putManifest(artifact, signal);
    const attachment = attachmentOf(artifact, tag, what);
    this.#storage.attach(attachment);
    return true;
  }

  /** Writes the root manifest, and makes all that was written visible under the names of the target. */
  async publish(root: RawManifest, signal: AbortSignal, packing?: Packing): Promise<void> {
    await this.putManifest(root, signal);
    signal.throwIfAborted();
    await this.#storage.publish(root, signal, packing);
  }

  close(): Promise<void> {
    return this.#storage.close();
  }

  /** Copies a blob of the source: from file to file where both have one. */
  async #bring(
    descriptor: Descriptor,
    source: Source,
    onBytes: (count: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (source.fileOf === undefined || this.#storage.copy === undefined) {
      const stream = tally(source.blob(descriptor, signal), onBytes);
      return this.#copy(descriptor, sealedAs(stream, descriptor), signal);
    }
    await using from = await source.fileOf(descriptor, signal);
    const what = `source ${source.label}: blob ${descriptor.digest}`;
    const copying = { expected: descriptor, what, onBytes, signal };
    await this.#keep(descriptor, await this.#storage.copy(from, copying));
  }

  /** Writes a blob of known digest. */
  async #copy(descriptor: Descriptor, stream: ByteStream | Sealing, signal: AbortSignal): Promise<void> {
    await this.#keep(descriptor, await this.#storage.take(stream, signal, descriptor.digest));
  }

  /** Makes a blob known by its digest. Nothing is left of one that does not match. */
  async #keep(descriptor: Descriptor, taken: TakenBlob): Promise<void> {
    try {
      await taken.keep(descriptor.digest, descriptor.size);
    } catch (error) {
      await taken.drop();
      throw error;
    }
  }
}
