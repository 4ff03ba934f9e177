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

/** Where the engine says that a stream stands: within a member, behind one, or behind one and before a byte of zero. */
const place = { inside: 0, between: 1, stray: 2 } as const;

/** The packed bytes of one stream. Each call of an engine takes a part of what is at hand. */
export class PackedInput {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal;
  /** Bytes that were not used yet. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Whether any came. */
  #begun = false;
  #place: number = place.inside;

  constructor(stream: ByteStream, signal: AbortSignal) {
    this.#chunks = coalesce(stream)[Symbol.asyncIterator]();
    this.#signal = signal;
  }

  /** Has an engine read from the bytes at hand, which must say what it used. @throws CODEC, the reason of the signal */
  async read<T extends { readonly read: number; readonly place: number }>(
    engine: (bytes: Uint8Array) => Promise<T>,
  ): Promise<T> {
    let done: T;
    try {
      done = await engine(this.bytes);
    } catch (error) {
      throw damagedGzip(error);
    }
    this.#signal.throwIfAborted();
    this.bytes = this.bytes.subarray(done.read);
    this.#place = done.place;
    return done;
  }

  /** Waits for bytes where none is at hand. Returns false at the end of the stream. @throws CODEC where the stream must not end or go on */
  async more(): Promise<boolean> {
    if (this.#place === place.stray) throw gzipError('stray');
    while (this.bytes.length === 0) {
      const { done, value } = await this.#chunks.next();
      this.#signal.throwIfAborted();
      if (done === true) {
        if (!this.#begun) throw gzipError('empty');
        if (this.#place === place.inside) throw gzipError('short');
        return false;
      }
      this.bytes = value;
    }
    this.#begun = true;
    return true;
  }

  /** Releases the stream. */
  async close(): Promise<void> {
    await release(this.#release(), this.#signal);
  }

  async #release(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** One gzip stream. Its memory is bounded by a chunk of the source and what the caller gives. */
export class NativeGunzip {
  readonly #input: PackedInput;
  readonly #inflater: NativeInflater;
  readonly #hash: Algorithm;
  readonly #signal: AbortSignal;

  constructor(
    stream: ByteStream,
    { Inflater }: NativeEngine,
    { hash, signal }: { readonly hash: Algorithm; readonly signal: AbortSignal },
  ) {
    this.#input = new PackedInput(stream, signal);
    this.#inflater = new Inflater(hash);
    this.#hash = hash;
    this.#signal = signal;
  }

  /** Fills a room with unpacked bytes: it is full unless they are the last. Must not be called after the last room. @throws CODEC */
  async fill(room: Uint8Array): Promise<{ readonly size: number; readonly last: boolean }> {
    for (let size = 0; ; ) {
      const { written, more } = await this.#input.read((bytes) =>
        this.#inflater.fill(bytes, room.subarray(size)),
      );
      size += written;
      if (more) return { size, last: false };
      if (!(await this.#input.more())) return { size, last: true };
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
      await this.#input.close();
    }
  }
}

/** Makes memory for unpacked bytes. */
export function makeRoom(): Uint8Array {
  return new Uint8Array(decodedChunk);
}
