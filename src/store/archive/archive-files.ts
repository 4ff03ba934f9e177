/**
 * The files inside an image archive (a plain tar), for the sources of both forms of archive. Nothing is unpacked: members
 * are read where they lie.
 */
import type { FileHandle } from 'node:fs/promises';
import { OcislimError } from '../../errors.ts';
import { openFile, readAt, readRange } from '../../files/file-bytes.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { blobName, type LayoutFiles, noBlob } from '../layout/layout-files.ts';
import { type Extent, TarIndex } from './tar-index.ts';

interface OpenArchive {
  readonly handle: FileHandle;
  readonly index: TarIndex;
}

/** The files of an archive, read at random from one open file. The first use walks through the headers. */
export class ArchiveFiles implements LayoutFiles {
  readonly #path: string;
  readonly #label: string;
  readonly #limits: Limits;
  #opened: Promise<OpenArchive> | null = null;

  /** @param label what messages begin with: "source oci-archive:…" */
  constructor(path: string, label: string, limits: Limits = defaultLimits) {
    this.#limits = limits;
    this.#path = path;
    this.#label = label;
  }

  async read(name: string, limit: number, signal: AbortSignal): Promise<Uint8Array | null> {
    const { handle, index } = await this.#open(signal);
    const extent = index.findUnique(name);
    if (extent === null) return null;
    if (extent.size > limit) {
      throw new OcislimError('LIMIT', `${this.#label}: the file "${name}" is larger than ${limit} bytes`);
    }
    return readAt(handle, extent.offset, extent.size);
  }

  /** Returns where a member lies, links followed; null where it does not exist. */
  async find(name: string, signal: AbortSignal): Promise<Extent | null> {
    return (await this.#open(signal)).index.find(name);
  }

  /** Streams a part of the archive. */
  async *extent({ offset, size }: Extent, signal: AbortSignal): ByteStream {
    const { handle } = await this.#open(signal);
    yield* readRange(handle, offset, size, signal);
  }

  async blobSize(digest: Digest, signal: AbortSignal): Promise<number | null> {
    return (await this.find(blobName(digest), signal))?.size ?? null;
  }

  async *blob(digest: Digest, signal: AbortSignal): ByteStream {
    const extent = await this.find(blobName(digest), signal);
    if (extent === null) throw noBlob(this.#label, digest);
    yield* this.extent(extent, signal);
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => null);
    this.#opened = null;
    await opened?.handle.close();
  }

  /** After a failure the next use tries again. */
  #open(signal: AbortSignal): Promise<OpenArchive> {
    this.#opened ??= this.#index(signal).catch((error: unknown) => {
      this.#opened = null;
      throw error;
    });
    return this.#opened;
  }

  async #index(signal: AbortSignal): Promise<OpenArchive> {
    const file = await openFile(this.#path);
    if (file === null)
      throw new OcislimError('NOT_FOUND', `${this.#label}: the file ${this.#path} does not exist`);
    await using opening = new AsyncDisposableStack();
    const handle = opening.use(file.handle);
    const index = await TarIndex.read({ ...file, label: this.#label }, this.#limits, signal);
    opening.move();
    return { handle, index };
  }
}
