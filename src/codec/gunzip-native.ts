/**
 * Unpacks gzip with the native engine, on Node's thread pool. `gunzip.ts` calls it for streams, and `unpack` fills the blocks of
 * layers with it.
 */
import { type Algorithm, type Digest, parseDigest } from '../oci/digest.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { coalesce } from '../stream/coalesce.ts';
import { damagedGzip, gzipError } from './gzip-error.ts';
import type { NativeEngine, NativeInflater } from './native.ts';
import { decodedChunk } from './native-decoder.ts';
import { release } from './pass-through.ts';

const nothing = new Uint8Array(0);

/** Where the engine says that a stream stands: within a member, behind one, or behind one and before a byte of zero. */
const place = { inside: 0, between: 1, stray: 2 } as const;

/** One gzip stream. Its memory is bounded by a chunk of the source and what the caller gives. */
export class NativeGunzip {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #inflater: NativeInflater;
  readonly #hash: Algorithm;
  readonly #signal: AbortSignal;
  /** Input that was not used yet. */
  #input: Uint8Array = nothing;
  /** Whether any input came. */
  #begun = false;

  constructor(
    stream: ByteStream,
    { Inflater }: NativeEngine,
    { hash, signal }: { readonly hash: Algorithm; readonly signal: AbortSignal },
  ) {
    this.#chunks = coalesce(stream)[Symbol.asyncIterator]();
    this.#inflater = new Inflater(hash);
    this.#hash = hash;
    this.#signal = signal;
  }

  /** Fills a room with unpacked bytes: it is full unless they are the last. Must not be called after the last room. @throws CODEC */
  async fill(room: Uint8Array): Promise<{ readonly size: number; readonly last: boolean }> {
    for (let size = 0; ; ) {
      const { read, written, more, place: reached } = await this.#push(room.subarray(size));
      this.#signal.throwIfAborted();
      size += written;
      this.#input = this.#input.subarray(read);
      if (more) return { size, last: false };
      if (reached === place.stray) throw gzipError('stray');
      if (this.#input.length > 0 || (await this.#next())) continue;
      if (!this.#begun) throw gzipError('empty');
      if (reached === place.inside) throw gzipError('short');
      return { size, last: true };
    }
  }

  /** Returns the digest of all that was unpacked. */
  digest(): Digest {
    return parseDigest(`${this.#hash}:${this.#inflater.digest()}`, 'the digest of the native engine');
  }

  /** Yields all that is unpacked, and releases the stream. */
  async *chunks(): ByteStream {
    try {
      this.#signal.throwIfAborted();
      for (;;) {
        const room = makeRoom();
        const { size, last } = await this.fill(room);
        if (size > 0) yield room.subarray(0, size);
        if (last) return;
        this.#signal.throwIfAborted();
      }
    } finally {
      await release(this.#close(), this.#signal);
    }
  }

  async #close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #push(room: Uint8Array) {
    try {
      return await this.#inflater.fill(this.#input, room);
    } catch (error) {
      throw damagedGzip(error);
    }
  }

  /** Reads the next input that is not empty. Returns false at the end of the stream. */
  async #next(): Promise<boolean> {
    while (this.#input.length === 0) {
      const { done, value } = await this.#chunks.next();
      this.#signal.throwIfAborted();
      if (done === true) return false;
      this.#input = value;
    }
    this.#begun = true;
    return true;
  }
}

function makeRoom(): Uint8Array {
  return new Uint8Array(decodedChunk);
}
