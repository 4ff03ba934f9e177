/**
 * The files inside an image archive (a plain tar), for the sources of both forms of archive. Nothing is unpacked: members
 * are read where they lie.
 */
import { OcislimError } from '../../errors.ts';
import { readAt, readRange } from '../../files/file-bytes.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Compression } from '../../oci/media-type.ts';
import type { FileRange } from '../../place/place.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { blobName, type LayoutFiles, noBlob } from '../layout/layout-files.ts';
import { type ArchiveToOpen, type OpenArchive, openArchive } from './open-archive.ts';
import { type Extent, TarIndex } from './tar-index.ts';

interface IndexedArchive {
  readonly archive: OpenArchive;
  readonly index: TarIndex;
}

/** The files of an archive, read at random from one open file. The first use walks through the headers. */
export class ArchiveFiles implements LayoutFiles {
  readonly #wanted: ArchiveToOpen;
  readonly #label: string;
  #opened: Promise<IndexedArchive> | null = null;

  constructor(wanted: ArchiveToOpen) {
    this.#wanted = wanted;
    this.#label = wanted.label;
  }

  async read(name: string, limit: number, signal: AbortSignal): Promise<Uint8Array | null> {
    const { archive, index } = await this.#open(signal);
    const extent = index.findUnique(name);
    if (extent === null) return null;
    if (extent.size > limit) {
      throw new OcislimError('LIMIT', `${this.#label}: the file "${name}" is larger than ${limit} bytes`);
    }
    return readAt(archive.handle, extent.offset, extent.size);
  }

  /** Returns where a member lies, links followed; null where it does not exist. */
  async find(name: string, signal: AbortSignal): Promise<Extent | null> {
    return (await this.#open(signal)).index.find(name);
  }

  /** Streams a part of the archive. */
  async *extent({ offset, size }: Extent, signal: AbortSignal): ByteStream {
    const { archive } = await this.#open(signal);
    yield* readRange(archive.handle, offset, size, signal);
  }

  /** Returns where a part of the archive lies. */
  async fileOfExtent({ offset, size }: Extent, signal: AbortSignal): Promise<FileRange> {
    const { archive } = await this.#open(signal);
    return { handle: archive.handle, offset, size, [Symbol.asyncDispose]: async () => {} };
  }

  async blobSize(digest: Digest, signal: AbortSignal): Promise<number | null> {
    return (await this.find(blobName(digest), signal))?.size ?? null;
  }

  async *blob(digest: Digest, signal: AbortSignal): ByteStream {
    const extent = await this.find(blobName(digest), signal);
    if (extent === null) throw noBlob(this.#label, digest);
    yield* this.extent(extent, signal);
  }

  /** Returns where a blob lies in the archive, whose one file stays open. */
  async fileOf(digest: Digest, signal: AbortSignal): Promise<FileRange> {
    const { archive, index } = await this.#open(signal);
    const extent = index.find(blobName(digest));
    if (extent === null) throw noBlob(this.#label, digest);
    return { handle: archive.handle, ...extent, [Symbol.asyncDispose]: async () => {} };
  }

  /** Returns how the archive is packed: what its members are read from is unpacked. */
  async packing(signal: AbortSignal): Promise<Compression> {
    return (await this.#open(signal)).archive.packing;
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => null);
    this.#opened = null;
    await opened?.archive.close();
  }

  /** After a failure the next use tries again, but for standard input, which is gone. */
  #open(signal: AbortSignal): Promise<IndexedArchive> {
    this.#opened ??= this.#index(signal).catch((error: unknown) => {
      if (this.#wanted.path !== '-') this.#opened = null;
      throw error;
    });
    return this.#opened;
  }

  async #index(signal: AbortSignal): Promise<IndexedArchive> {
    await using opening = new AsyncDisposableStack();
    const archive = opening.use(await openArchive(this.#wanted, signal));
    const index = await TarIndex.read({ ...archive, label: this.#label }, this.#wanted.limits, signal);
    opening.move();
    return { archive, index };
  }
}
