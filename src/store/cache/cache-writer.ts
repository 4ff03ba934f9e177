/**
 * Writes one blob into the cache while its stream goes elsewhere. Called by blob-cache.ts, which makes a writer for each blob.
 */
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAt } from '../../files/file-bytes.ts';
import { systemCode } from '../../files/file-error.ts';
import { makeFolders } from '../../files/make-folders.ts';
import { temporaryName } from '../../files/temporary.ts';
import type { CacheHealth } from './cache-health.ts';
import type { CacheRoom } from './cache-room.ts';
import { MiB } from '../../units.ts';

/** Bytes of room that are taken at once where the length of a blob is unknown. */
const largestStep = 16 * MiB;

/**
 * An unfinished file in `partial/`, renamed to its place once the caller has hashed the stream and says that the bytes are right.
 * An error here costs the copy, never the stream.
 */
export class CacheWriter {
  readonly #room: CacheRoom;
  readonly #health: CacheHealth;
  readonly #path: string;
  readonly #length: number | null;
  #handle: FileHandle | null = null;
  #state: 'new' | 'open' | 'done' = 'new';
  #taken = 0;
  #size = 0;

  /** @param length bytes of the blob; null where that is unknown */
  constructor(folder: string, room: CacheRoom, health: CacheHealth, length: number | null) {
    this.#room = room;
    this.#health = health;
    this.#path = join(folder, 'partial', temporaryName('blob'));
    this.#length = length;
  }

  /** Appends a chunk. Never throws. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state === 'done') return;
    try {
      const end = this.#size + chunk.length;
      if (!(await this.#take(end))) return await this.drop();
      if (this.#state === 'new') await this.#open();
      await writeAt(this.#handle as FileHandle, chunk, this.#size);
      this.#size = end;
    } catch (error) {
      this.#health.fail(error);
      await this.drop();
    }
  }

  /** Renames the file to `path` if it has `size` bytes, else discards it. Returns whether it is there now. Never throws. */
  async keep(path: string, size: number): Promise<boolean> {
    if (this.#state === 'new' && size === 0) await this.write(new Uint8Array(0));
    if (this.#state !== 'open') return false;
    if (this.#size !== size) {
      await this.drop();
      return false;
    }
    this.#state = 'done';
    let kept = false;
    try {
      await this.#close();
      await makeFolders(dirname(path), { mode: 0o700 });
      await rename(this.#path, path);
      kept = true;
    } catch (error) {
      // Another process may have removed the file as abandoned, which is not a failure of the disk.
      if (systemCode(error) !== 'ENOENT') this.#health.fail(error);
    }
    await this.#end(kept);
    return kept;
  }

  /** Discards the file. Never fails, and does nothing after `keep`. */
  async drop(): Promise<void> {
    if (this.#state === 'done') return;
    this.#state = 'done';
    await this.#end(false);
  }

  /** Takes room for the file up to `end`. */
  async #take(end: number): Promise<boolean> {
    if (end <= this.#taken) return true;
    const step = Math.max(end - this.#taken, Math.min(largestStep, Math.floor(this.#room.maxBytes / 16)));
    const wanted = this.#length === null ? step : Math.max(this.#length, end) - this.#taken;
    if (!(await this.#room.take(wanted))) return false;
    this.#taken += wanted;
    return true;
  }

  async #open(): Promise<void> {
    this.#room.writing.add(this.#path);
    this.#state = 'open';
    this.#handle = await open(this.#path, 'wx', 0o600);
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async #end(kept: boolean): Promise<void> {
    await this.#close().catch(() => {});
    if (!kept) await unlink(this.#path).catch(() => {});
    this.#room.writing.delete(this.#path);
    await this.#room.settle(this.#taken, kept ? this.#size : 0);
  }
}
