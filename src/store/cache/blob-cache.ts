import { mkdir, stat, unlink, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Closeable } from '../../closeable.ts';
import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { algorithmOf, type Digest, digestOf, hasher, hexOf } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { verify } from '../../stream/verify.ts';
import { openFile, readRange } from '../../files/file-bytes.ts';
import { fileError, systemCode } from '../../files/file-error.ts';
import { sweepTemporaries } from '../../files/temporary.ts';
import { CacheHealth } from './cache-health.ts';
import { CacheRoom } from './cache-room.ts';
import { CacheWriter } from './cache-writer.ts';
import { RecipeBook } from './recipe-book.ts';

export interface CacheOptions {
  /** Made if it is not there. */
  readonly folder: string;
  /** What the cache may take on the disk; the least recently used goes first. */
  readonly maxBytes: number;
  /** Of the program: what another version has remembered is not believed. */
  readonly version: string;
  readonly listener: Listener;
}

/** A blob in the cache, known to be whole. Close it, read or not. */
export interface CachedBlob {
  /** All bytes, from the start on every call. The stream throws like `verify`. */
  read(): ByteStream;
  close(): Promise<void>;
}

type Blob = Pick<Descriptor, 'digest' | 'size'>;

/** So that programs that make backups leave the folder out. */
const cacheTag = 'Signature: 8a477f597d28d172789f06886806bc55\n# This is a cache of ocislim.\n';

/**
 * Blobs on local disk that outlast a run, by their digest. Only bytes whose digest was computed here come in, and they
 * are checked again before they are given out. Several processes may share a folder.
 */
export class BlobCache extends Closeable {
  readonly recipes: RecipeBook;
  readonly #folder: string;
  readonly #room: CacheRoom;
  readonly #health: CacheHealth;
  readonly #writers = new Set<CacheWriter>();
  /** Which state of which file has been checked by this process. */
  readonly #checked = new Map<Digest, string>();
  #wrote = false;

  private constructor(options: CacheOptions, folder: string) {
    super();
    this.#folder = folder;
    this.#health = new CacheHealth(folder, options.listener);
    this.#room = new CacheRoom(folder, options.maxBytes);
    this.recipes = new RecipeBook(folder, options.version, this.#room, this.#health);
  }

  /** Sweeps out what killed processes left. @throws IO for what is no folder and cannot become one */
  static async open(options: CacheOptions): Promise<BlobCache> {
    const folder = resolve(options.folder);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw new OcislimError('IO', `${folder} is not a folder`);
      throw fileError(`use the cache folder ${folder}`, error);
    }
    const cache = new BlobCache(options, folder);
    try {
      for (const name of ['blobs', 'partial', 'recipes'])
        await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
      await writeFile(join(folder, 'CACHEDIR.TAG'), cacheTag, { flag: 'wx', mode: 0o600 }).catch(() => {});
    } catch (error) {
      cache.#health.fail(error);
    }
    await cache.recipes.checkOwner();
    await sweepTemporaries(join(folder, 'partial'), () => true);
    await cache.#room.trim(0);
    return cache;
  }

  /** Would a blob of this size be kept? */
  accepts(size: number): boolean {
    return this.#health.isGood && size <= this.#room.maxBytes;
  }

  /** The blob if it is here and whole; a damaged one is removed. */
  async read(blob: Blob, signal: AbortSignal): Promise<CachedBlob | null> {
    signal.throwIfAborted();
    const path = this.#pathOf(blob.digest);
    const file = await openFile(path).catch(() => null);
    if (file === null) return null;
    const { handle, size } = file;
    let good = false;
    try {
      // Another size is damage, or the descriptor's lie: the source will tell.
      good = size === blob.size && (await this.#check(handle, blob, path, signal));
    } finally {
      if (!good) await handle.close();
    }
    if (!good) return null;
    let open = true;
    return {
      read: () => verify(readRange(handle, 0, size, signal), blob, `the cached blob ${path}`),
      close: async () => {
        if (open) await handle.close();
        open = false;
      },
    };
  }

  /** Passes a blob through, and keeps it unless its stream, which is verified where it comes from, fails. */
  async *keep(stream: ByteStream, blob: Blob): ByteStream {
    const writer = this.writer(blob);
    try {
      for await (const chunk of stream) {
        await writer.write(chunk);
        yield chunk;
      }
      await writer.keep(blob.digest, blob.size);
    } finally {
      await writer.drop();
    }
  }

  /** Keeps bytes that are in memory, to be read under their digest (sha256). */
  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes);
    const writer = this.writer({ digest, size: bytes.length });
    await writer.write(bytes);
    await writer.keep(digest, bytes.length);
    return digest;
  }

  /** For a blob on its way: one that is known, or one whose digest will be (sha256). End it with `keep` or `drop`. */
  writer(blob: Blob | null): BlobWriter {
    if (!this.#health.isGood || (blob !== null && !this.accepts(blob.size))) return noWriter;
    const writer = new CacheWriter(this.#folder, this.#room, this.#health, blob?.size ?? null);
    this.#writers.add(writer);
    return {
      write: (chunk) => writer.write(chunk),
      keep: async (digest, size) => {
        const path = this.#pathOf(digest);
        const kept = await writer.keep(path, size);
        this.#writers.delete(writer);
        if (!kept) return;
        this.#wrote = true;
        const found = await stat(path).catch(() => null);
        if (found !== null) this.#checked.set(digest, markOf(found));
      },
      drop: async () => {
        await writer.drop();
        this.#writers.delete(writer);
      },
    };
  }

  /** Leaves nothing half-written, and the folder within its bound. Never fails. */
  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.drop();
    this.#writers.clear();
    if (this.#wrote) await this.#room.trim(0);
    this.#wrote = false;
  }

  /** Notes the use, and reads the file through unless this process has seen this very state of it before. */
  async #check(handle: FileHandle, blob: Blob, path: string, signal: AbortSignal): Promise<boolean> {
    try {
      const seen = this.#checked.get(blob.digest) === markOf(await handle.stat());
      const now = new Date();
      await handle.utimes(now, now).catch(() => {});
      if (!seen) {
        const hash = hasher(blob.digest);
        for await (const chunk of readRange(handle, 0, blob.size, signal)) hash.update(chunk);
        if (hash.digest() !== blob.digest) {
          await unlink(path).catch(() => {});
          return false;
        }
      }
      this.#checked.set(blob.digest, markOf(await handle.stat()));
      return true;
    } catch {
      // A disk that cannot read it any more.
      signal.throwIfAborted();
      return false;
    }
  }

  #pathOf(digest: Digest): string {
    const hex = hexOf(digest);
    return join(this.#folder, 'blobs', algorithmOf(digest), hex.slice(0, 2), hex);
  }
}

/** The cache's side of a stream. None of it ever throws. */
export interface BlobWriter {
  write(chunk: Uint8Array): Promise<void>;
  /**
   * The stream has ended well, and this is the digest that was computed over it. Bytes of another number are thrown away.
   */
  keep(digest: Digest, size: number): Promise<void>;
  /** Does nothing after `keep`. */
  drop(): Promise<void>;
}

const noWriter: BlobWriter = { write: async () => {}, keep: async () => {}, drop: async () => {} };

/** Changes whenever the file's bytes do: nobody can set the time of the last change of state. */
function markOf(found: { readonly ino: number; readonly size: number; readonly ctimeMs: number }): string {
  return `${found.ino} ${found.size} ${found.ctimeMs}`;
}
