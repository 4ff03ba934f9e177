import { createReadStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, hexOf } from '../oci/digest.ts';
import type { ByteStream } from '../stream/byte-stream.ts';

/**
 * Blobs on local disk between the first and the second reading of a layer, within a budget. Nothing depends on it:
 * what does not fit is read from the source again.
 */
export class Scratch {
  readonly #budget: number;
  #directory: Promise<string> | null = null;
  #used = 0;
  #spools = 0;
  readonly #files = new Map<Digest, string>();

  /** `budget` in bytes; 0 for no scratch at all. */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Passes a blob through and keeps a copy, if it fits. The copy counts once the stream has ended well. */
  async *keep(stream: ByteStream, descriptor: Descriptor): ByteStream {
    const { digest, size } = descriptor;
    if (size === 0 || this.#files.has(digest) || this.#used + size > this.#budget) {
      yield* stream;
      return;
    }
    this.#used += descriptor.size;
    const folder = await this.#folder().catch(() => null);
    const path = join(folder ?? '', hexOf(descriptor.digest));
    // Without a place to write (a read-only root) the work goes on without scratch.
    const file = folder === null ? null : await open(path, 'wx', 0o600).catch(() => null);
    let whole = false;
    let broken = file === null;
    try {
      for await (const chunk of stream) {
        // A full disk costs the copy, not the run.
        if (!broken) await file?.writeFile(chunk).catch(() => (broken = true));
        yield chunk;
      }
      whole = !broken;
    } finally {
      await file?.close();
      if (whole) this.#files.set(descriptor.digest, path);
      else {
        this.#used -= descriptor.size;
        if (file !== null) await rm(path, { force: true });
      }
    }
  }

  /** The copy of a blob, or null. */
  read(digest: Digest): ByteStream | null {
    const path = this.#files.get(digest);
    return path === undefined ? null : createReadStream(path, { highWaterMark: 256 * 1024 });
  }

  /** Bytes of the budget that nothing has taken. */
  get free(): number {
    return this.#budget - this.#used;
  }

  /** A file for `bytes` bytes that is gone when it is removed; null without the room for it, or a place to write. */
  async createFile(
    bytes: number,
  ): Promise<{ readonly file: FileHandle; readonly remove: () => Promise<void> } | null> {
    if (bytes > this.free) return null;
    this.#used += bytes;
    const name = `spool-${String(this.#spools++)}`;
    const path = await this.#folder().then(
      (folder) => join(folder, name),
      () => null,
    );
    const file = path === null ? null : await open(path, 'wx+', 0o600).catch(() => null);
    if (path === null || file === null) {
      this.#used -= bytes;
      return null;
    }
    return {
      file,
      remove: async () => {
        this.#used -= bytes;
        await file.close();
        await rm(path, { force: true });
      },
    };
  }

  async close(): Promise<void> {
    const directory = await this.#directory?.catch(() => null);
    if (directory !== undefined && directory !== null) await rm(directory, { recursive: true, force: true });
    this.#files.clear();
  }

  #folder(): Promise<string> {
    return (this.#directory ??= mkdtemp(join(tmpdir(), 'ocislim-')));
  }
}
