import type { FileHandle } from 'node:fs/promises';
import { OcislimError } from '../../errors.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { openFile, readAt, readRange } from '../../files/file-bytes.ts';
import { blobName, type LayoutFiles, noBlob } from '../layout/layout-files.ts';
import { type Extent, TarIndex } from './tar-index.ts';

/** The files of an image archive, read at random from one open file. The headers are walked at the first use. */
export class ArchiveFiles implements LayoutFiles {
  readonly #path: string;
  readonly #label: string;
  readonly #limits: Limits;
  #opened: Promise<{ handle: FileHandle; index: TarIndex }> | null = null;

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

  /** Where a member lies, links followed; null when there is none. */
  async find(name: string, signal: AbortSignal): Promise<Extent | null> {
    return (await this.#open(signal)).index.find(name);
  }

  /** The bytes of a part of the archive. */
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

  #open(signal: AbortSignal): Promise<{ handle: FileHandle; index: TarIndex }> {
    this.#opened ??= this.#index(signal).catch((error: unknown) => {
      this.#opened = null;
      throw error;
    });
    return this.#opened;
  }

  async #index(signal: AbortSignal): Promise<{ handle: FileHandle; index: TarIndex }> {
    const file = await openFile(this.#path);
    if (file === null) throw new OcislimError('NOT_FOUND', `${this.#label}: there is no file ${this.#path}`);
    try {
      const { handle, size } = file;
      return { handle, index: await TarIndex.read(handle, size, this.#label, signal, this.#limits) };
    } catch (error) {
      await file.handle.close();
      throw error;
    }
  }
}
