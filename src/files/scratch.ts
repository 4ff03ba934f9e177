/**
 * Scratch: blobs on local disk between two readings, in files without names, within a bound. Readers of layers and jobs share one
 * for each run.
 */
import { type FileHandle, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Closeable } from '../closeable.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { DiskBudget } from './disk-budget.ts';
import { readRange, writeAt } from './file-bytes.ts';
import { openUnnamedFile, sweepTemporaryFolders } from './temporary.ts';
import type { ByteStream } from '../stream/byte-stream.ts';

/** Each takes a file descriptor. */
const mostFiles = 256;

/**
 * Blobs on local disk between the first and the second reading of a layer, within a budget: in files without names, so
 * that nothing is left however the run ends. Nothing depends on it: what does not fit is read from the source again.
 */
export class Scratch extends Closeable {
  readonly #disk: DiskBudget;
  #limit: Promise<number> | null = null;
  #used = 0;
  #closed = false;
  /** What the disk is asked for at the moment. */
  readonly #work = new Set<Promise<void>>();
  readonly #files = new Map<Digest, { readonly file: FileHandle; readonly size: number }>();

  /** Takes the budget in bytes, or one that others use too; 0 for no scratch at all. */
  constructor(budget: number | DiskBudget) {
    super();
    this.#disk = typeof budget === 'number' ? new DiskBudget(budget) : budget;
  }

  /** Passes a blob through and keeps a copy, if it fits. The copy counts once the stream has ended well. */
  async *keep(stream: ByteStream, descriptor: Descriptor): ByteStream {
    const { digest, size } = descriptor;
    const isWanted = size > 0 && !this.#files.has(digest) && this.#files.size < mostFiles;
    // Without a place to write (a read-only root) the work goes on without scratch.
    let file = isWanted ? await this.#open(size) : null;
    let at = 0;
    const drop = async (): Promise<void> => {
      const dropped = file;
      file = null;
      this.#giveBack(size);
      await dropped?.close().catch(() => {});
    };
    try {
      for await (const chunk of stream) {
        if (file !== null && this.#closed) await drop();
        if (file !== null) {
          try {
            await this.#doing(writeAt(file, chunk, at));
            at += chunk.length;
          } catch {
            // A full disk costs the copy, not the run, and gets its room back.
            await drop();
          }
        }
        yield chunk;
      }
      if (file !== null && at === size && !this.#files.has(digest) && !this.#closed) {
        this.#files.set(digest, { file, size });
        file = null;
      }
    } finally {
      if (file !== null) await drop();
    }
  }

  /** Returns the copy of a blob; null for none. */
  read(digest: Digest, signal: AbortSignal): ByteStream | null {
    const kept = this.#files.get(digest);
    return kept === undefined ? null : readRange(kept.file, 0, kept.size, signal);
  }

  /** Returns the free bytes: of the budget, or of the disk if that has less. */
  async free(): Promise<number> {
    return Math.min((await this.#room()) - this.#used, this.#disk.left);
  }

  /** Creates a file for `bytes` bytes that is deleted when it is closed; null without room, or without a writable folder. */
  async createFile(
    bytes: number,
  ): Promise<{ readonly file: FileHandle; readonly close: () => Promise<void> } | null> {
    const file = await this.#open(bytes);
    if (file === null) return null;
    return {
      file,
      close: async () => {
        this.#giveBack(bytes);
        await file.close();
      },
    };
  }

  /** Streams that a run broke off may still be on their way through: no copy of those is kept. */
  async close(): Promise<void> {
    this.#closed = true;
    // Also where nothing was written: what another run has left is to go.
    await this.#room();
    while (this.#work.size > 0) {
      await Promise.all(this.#work);
      // The work that waited for it continues first.
      await new Promise(setImmediate);
    }
    for (const { file, size } of this.#files.values()) {
      await file.close().catch(() => {});
      this.#giveBack(size);
    }
    this.#files.clear();
  }

  async #open(bytes: number): Promise<FileHandle | null> {
    const room = await this.#doing(this.#room());
    if (this.#closed || this.#used + bytes > room || !this.#disk.tryTake(bytes)) return null;
    this.#used += bytes;
    const file = await this.#doing(openUnnamedFile()).catch(() => null);
    if (file === null) this.#giveBack(bytes);
    return file;
  }

  #giveBack(bytes: number): void {
    this.#used -= bytes;
    this.#disk.give(bytes);
  }

  #doing<T>(work: Promise<T>): Promise<T> {
    const settled = work.catch(() => {}).then(() => void this.#work.delete(settled));
    this.#work.add(settled);
    return work;
  }

  #room(): Promise<number> {
    return (this.#limit ??= this.#disk.limit === 0 ? Promise.resolve(0) : this.#look());
  }

  /** Returns the limit by the free space. The destination may be on the same disk, so half of the space is left to it. */
  async #look(): Promise<number> {
    await sweepTemporaryFolders();
    const disk = await statfs(tmpdir()).catch(() => null);
    return disk === null ? 0 : Math.min(this.#disk.limit, Math.floor((disk.bavail * disk.bsize) / 2));
  }
}
