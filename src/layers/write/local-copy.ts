import type { BlobCache, BlobWriter } from '../../store/cache/blob-cache.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import type { Seal } from '../../stream/seal.ts';

/** A copy in the cache of the bytes that a target takes in. The next run sends it from there if this run fails. */
export class LocalCopy implements AsyncDisposable {
  readonly #cache: BlobCache;
  #writer: BlobWriter | null = null;

  constructor(cache: BlobCache) {
    this.#cache = cache;
  }

  /** Passes a stream through and copies it. A second call starts the copy over. */
  async *through(stream: ByteStream): ByteStream {
    await this.#writer?.drop();
    const writer = (this.#writer = this.#cache.writer(null));
    for await (const chunk of stream) {
      await writer.write(chunk);
      yield chunk;
    }
  }

  /** Keeps the copy under its digest, once the stream has ended. */
  async keep({ digest, size }: Seal): Promise<void> {
    await this.#writer?.keep(digest, size);
  }

  /** Drops a copy that was not kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer?.drop();
  }
}
