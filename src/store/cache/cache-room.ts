/**
 * The bound of a cache folder: room is taken before bytes are written, and the least recently used files are removed for it.
 * Called by the writers of blobs and recipes.
 */
import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

interface CachedFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** When it was used last, in milliseconds since the epoch: the time of the file. */
  readonly used: number;
}

/** Recipes may take this part of the whole (1/16), and after so many bytes written the folder is listed again. */
const share = 16;
/** Milliseconds. A file that is being written to is never that old. */
const hour = 3600 * 1000;

/**
 * The room in a cache folder. It has no lock, although other processes may read and write at any time: an open file survives its
 * removal, and a file that is gone is a miss.
 */
export class CacheRoom {
  readonly maxBytes: number;
  readonly #folder: string;
  /** Bytes of whole files: those listed last, and those added here since. */
  #known = 0;
  /** Bytes promised to files that are being written here. */
  #promised = 0;
  /** Bytes added here since the folder was listed. */
  #since = 0;
  readonly #writing = new Set<string>();
  #looking: Promise<unknown> = Promise.resolve();

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.maxBytes = maxBytes;
  }

  /** Takes room for so many bytes more. Returns false where files cannot be removed to make that room. */
  async take(bytes: number): Promise<boolean> {
    if (bytes > this.maxBytes) return false;
    if (!this.#fits(bytes)) await this.trim(bytes);
    if (!this.#fits(bytes)) return false;
    this.#promised += bytes;
    return true;
  }

  /** Gives back what was taken; `kept` bytes of it are in the cache now. */
  async settle(taken: number, kept: number): Promise<void> {
    this.#promised -= taken;
    this.#known += kept;
    this.#since += kept;
    // Other processes may have been writing too.
    if (this.#since > this.maxBytes / share) await this.trim(0);
  }

  /** Unfinished files of this process, which are counted by the room that was taken for them. */
  readonly writing = {
    add: (path: string): void => void this.#writing.add(path),
    delete: (path: string): void => void this.#writing.delete(path),
  };

  /** Lists the folder, and removes the least recently used files until `bytes` more fit. Never fails. */
  async trim(bytes: number): Promise<void> {
    const look = this.#looking.then(() => this.#trim(bytes));
    this.#looking = look;
    await look;
  }

  #fits(bytes: number): boolean {
    return this.#known + this.#promised + bytes <= this.maxBytes;
  }

  async #trim(bytes: number): Promise<void> {
    this.#since = 0;
    const blobs = [...(await this.#entries('blobs/sha256')), ...(await this.#entries('blobs/sha512'))];
    const recipes = await this.#entries('recipes');
    const partial = await this.#partial();
    const least = await evict(recipes, this.maxBytes / share);
    this.#known = partial + least;
    this.#known += await evict(blobs, this.maxBytes - this.#promised - bytes - this.#known);
  }

  /** Lists the files of the form `ab/ab…` below a folder. */
  async #entries(name: string): Promise<CachedFile[]> {
    const folder = join(this.#folder, name);
    const shards = (await list(folder)).filter((shard) => /^[0-9a-f]{2}$/.test(shard));
    const found: CachedFile[] = [];
    for (const shard of shards) {
      const files = (await list(join(folder, shard))).filter((file) => /^[0-9a-f]{64}/.test(file));
      const entries = await Promise.all(files.map((file) => look(join(folder, shard, file))));
      for (const entry of entries) if (entry !== null) found.push(entry);
    }
    return found;
  }

  /** Returns the bytes that other processes are writing. Removes files that are too old for that. */
  async #partial(): Promise<number> {
    const folder = join(this.#folder, 'partial');
    let bytes = 0;
    for (const file of await list(folder)) {
      const path = join(folder, file);
      const entry = this.#writing.has(path) ? null : await look(path);
      if (entry === null) continue;
      if (entry.used < Date.now() - hour) await unlink(path).catch(() => {});
      else bytes += entry.size;
    }
    return bytes;
  }
}

function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function look(path: string): Promise<CachedFile | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true ? { path, size: found.size, used: found.mtimeMs } : null;
}

/** Removes the least recently used files until the rest is within the limit. Returns the bytes of the rest. */
async function evict(entries: readonly CachedFile[], limit: number): Promise<number> {
  let total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total <= limit) return total;
  const oldestFirst = [...entries].sort((a, b) => a.used - b.used || (a.path < b.path ? -1 : 1));
  for (const { path, size } of oldestFirst) {
    if (total <= limit) break;
    const gone = await unlink(path).then(
      () => true,
      (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT',
    );
    if (gone) total -= size;
  }
  return total;
}
