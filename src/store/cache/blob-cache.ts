/**
 * The cache of `--cache-dir`: blobs on local disk that outlast a run, by digest. Sources, the layer writer and scans read from it
 * and write into it; recipe-book.ts remembers which blob a rewrite gave.
 */
import { stat, unlink, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type AsyncCloseable, Closeable } from '../../closeable.ts';
import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { algorithmOf, type Digest, digestOf, hasher, hexOf } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { verify } from '../../stream/verify.ts';
import { openFile, readRange } from '../../files/file-bytes.ts';
import { fileError, systemCode } from '../../files/file-error.ts';
import { makeFolders } from '../../files/make-folders.ts';
import { sweepTemporaries } from '../../files/temporary.ts';
import { CacheHealth } from './cache-health.ts';
import { CacheRoom } from './cache-room.ts';
import { CacheWriter } from './cache-writer.ts';
import { RecipeBook } from './recipe-book.ts';

export interface CacheOptions {
  /** Created if it does not exist. */
  readonly folder: string;
  /** Bytes of disk that the cache may take. The least recently used files are removed first. */
  readonly maxBytes: number;
  /** The version of the program. Recipes of other versions are not used. */
  readonly version: string;
  readonly listener: Listener;
}

/** A blob in the cache, known to be whole. It must be closed, read or not. */
export interface CachedBlob extends AsyncCloseable {
  /** Streams all bytes, from the start on every call. The stream throws as `verify` does. */
  read(): ByteStream;
}

type Blob = Pick<Descriptor, 'digest' | 'size'>;

/** Content of CACHEDIR.TAG, by which programs that make backups leave the folder out (bford.info/cachedir). */
const cacheTag = 'Signature: 8a477f597d28d172789f06886806bc55\n# This is a cache of ocislim.\n';

/**
 * A folder of blobs. Bytes enter under a digest that was computed over them here, and are hashed again before they are handed
 * out. Several processes may share a folder.
 */
export class BlobCache extends Closeable {
  readonly recipes: RecipeBook;
  readonly #folder: string;
  readonly #room: CacheRoom;
  readonly #health: CacheHealth;
  readonly #writers = new Set<CacheWriter>();
  /** The state of each file that this process has hashed. */
  readonly #checked = new Map<Digest, string>();
  #wrote = false;

  private constructor(options: CacheOptions, folder: string) {
    super();
    this.#folder = folder;
    this.#health = new CacheHealth(folder, options.listener);
    this.#room = new CacheRoom(folder, options.maxBytes);
    this.recipes = new RecipeBook(folder, options.version, this.#room, this.#health);
  }

  /** Opens or creates the folder, and removes files of killed processes. @throws IO where it is not a folder, nor can become one */
  static async open(options: CacheOptions): Promise<BlobCache> {
    const folder = resolve(options.folder);
    try {
      await makeFolders(folder, { mode: 0o700 });
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw new OcislimError('IO', `${folder} is not a folder`);
      throw fileError(`use the cache folder ${folder}`, error);
    }
    const cache = new BlobCache(options, folder);
    try {
      for (const name of ['blobs', 'partial', 'recipes'])
        await makeFolders(join(folder, name), { mode: 0o700 });
      await writeFile(join(folder, 'CACHEDIR.TAG'), cacheTag, { flag: 'wx', mode: 0o600 }).catch(() => {});
    } catch (error) {
      cache.#health.fail(error);
    }
    await cache.recipes.checkOwner();
    await sweepTemporaries(join(folder, 'partial'), () => true);
    await cache.#room.trim(0);
    return cache;
  }

  /** Returns whether a blob of this size would be kept. */
  accepts(size: number): boolean {
    return this.#health.isGood && size <= this.#room.maxBytes;
  }

  /** Returns the blob if it is here and whole, else null. Removes a damaged one. */
  async read(blob: Blob, signal: AbortSignal): Promise<CachedBlob | null> {
    signal.throwIfAborted();
    const path = this.#pathOf(blob.digest);
    const file = await openFile(path).catch(() => null);
    if (file === null) return null;
    await using opening = new AsyncDisposableStack();
    const handle = opening.use(file.handle);
    // A file of another size is damaged, or the descriptor is wrong: the source tells which.
    if (file.size !== blob.size || !(await this.#check(handle, blob, path, signal))) return null;
    const held = opening.move();
    const close = () => held.disposeAsync();
    return {
      read: () => verify(readRange(handle, 0, blob.size, signal), blob, `the cached blob ${path}`),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  /** Passes a blob through, and keeps it if the stream ends without an error. The producer must verify the stream. */
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

  /** Keeps bytes that are in memory, and returns their digest (sha256). */
  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes);
    const writer = this.writer({ digest, size: bytes.length });
    await writer.write(bytes);
    await writer.keep(digest, bytes.length);
    return digest;
  }

  /**
   * Begins to write a blob, of known digest, or null for one whose digest (sha256) is known at its end. Ends with `keep` or
   * `drop`.
   */
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

  /** Discards unfinished blobs, and brings the folder within its bound. Never fails. */
  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.drop();
    this.#writers.clear();
    if (this.#wrote) await this.#room.trim(0);
    this.#wrote = false;
  }

  /** Notes the use, and hashes the file unless this process has hashed it in the same state before. */
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
      // The disk cannot read the file any more.
      signal.throwIfAborted();
      return false;
    }
  }

  #pathOf(digest: Digest): string {
    const hex = hexOf(digest);
    return join(this.#folder, 'blobs', algorithmOf(digest), hex.slice(0, 2), hex);
  }
}

/** A blob that is being written into the cache. No method throws. */
export interface BlobWriter {
  write(chunk: Uint8Array): Promise<void>;
  /** Keeps the blob under the digest that was computed over its stream, or discards it if it has another size. */
  keep(digest: Digest, size: number): Promise<void>;
  /** Discards the blob. Does nothing after `keep`. */
  drop(): Promise<void>;
}

const noWriter: BlobWriter = { write: async () => {}, keep: async () => {}, drop: async () => {} };

/** Returns a text that changes whenever the file's bytes do: programs cannot set the time of the last change of state. */
function markOf(found: { readonly ino: number; readonly size: number; readonly ctimeMs: number }): string {
  return `${found.ino} ${found.size} ${found.ctimeMs}`;
}
