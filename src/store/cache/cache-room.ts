import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

interface Entry {
  readonly path: string;
  readonly size: number;
  readonly used: number;
}

/** Of the whole: what recipes may take, and how much may be written before others' writing is looked at. */
const share = 16;
/** A file that is being written to is never that old. */
const hour = 3600 * 1000;

/**
 * The bound of a cache folder: who wants to write takes room first, and the least recently used files go. Safe while
 * other processes read and write there: an open file survives its name, and what is gone is a miss. No lock.
 */
export class CacheRoom {
  readonly maxBytes: number;
  readonly #folder: string;
  /** Bytes of whole files, as of the last look and what was added since. */
  #known = 0;
  /** Bytes promised to files that are being written here. */
  #promised = 0;
  #since = 0;
  readonly #writing = new Set<string>();
  #looking: Promise<unknown> = Promise.resolve();

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.maxBytes = maxBytes;
  }

  /** Room for so many bytes more; false when there is none to be had. */
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
    // Other processes have been writing too.
    if (this.#since > this.maxBytes / share) await this.trim(0);
  }

  /** These files are counted by what was taken for them. */
  readonly writing = {
    add: (path: string): void => void this.#writing.add(path),
    delete: (path: string): void => void this.#writing.delete(path),
  };

  /** Looks at what is there, and removes what was used longest ago until `bytes` more fit. Never fails. */
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

  /** Files of the form `ab/ab…`. */
  async #entries(name: string): Promise<Entry[]> {
    const folder = join(this.#folder, name);
    const shards = (await list(folder)).filter((shard) => /^[0-9a-f]{2}$/.test(shard));
    const found: Entry[] = [];
    for (const shard of shards) {
      const files = (await list(join(folder, shard))).filter((file) => /^[0-9a-f]{64}/.test(file));
      const entries = await Promise.all(files.map((file) => look(join(folder, shard, file))));
      found.push(...entries.filter((entry) => entry !== null));
    }
    return found;
  }

  /** Bytes of what other processes are writing; what none can be writing any more goes. */
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

async function look(path: string): Promise<Entry | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true ? { path, size: found.size, used: found.mtimeMs } : null;
}

/** Removes the least recently used until the rest is within the limit. The bytes of the rest. */
async function evict(entries: readonly Entry[], limit: number): Promise<number> {
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
