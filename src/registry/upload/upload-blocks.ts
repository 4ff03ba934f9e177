/**
 * Blocks of an upload, so that a chunk can be sent again while the stream goes on. The uploader sends one while it fills the other.
 */
import type { ByteStream } from '../../stream/byte-stream.ts';
import { KiB } from '../../units.ts';

/** The first room of a buffer, since most blobs are small. Larger ones get a block's room at once. Bytes. */
const smallCapacity = 64 * KiB;

/** Cuts a stream into large blocks, in two buffers in turn: a block is valid until the next but one is asked for. */
export class UploadBlocks {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #buffers = [new Uint8Array(0), new Uint8Array(0)] as [Uint8Array, Uint8Array];
  #turn: 0 | 1 = 0;
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;
  #length = 0;

  constructor(stream: ByteStream) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Whether all bytes of the stream are in blocks that were returned. */
  get ended(): boolean {
    return this.#ended && this.#rest.length === 0;
  }

  /** Bytes that have been read so far. */
  get length(): number {
    return this.#length;
  }

  /** Returns the next block: `size` bytes, or what is left. With `begun`, that block is filled up to `size` instead. */
  async next(size: number, begun: Uint8Array | null = null): Promise<Uint8Array> {
    if (begun === null) this.#turn = this.#turn === 0 ? 1 : 0;
    let length = begun?.length ?? 0;
    // Reads on after a full block, since what follows it decides how it is sent.
    while (!this.#ended && (length < size || this.#rest.length === 0)) {
      length += this.#fill(length, size);
      if (this.#rest.length > 0) break;
      this.#rest = (await this.#pull()) ?? this.#rest;
    }
    length += this.#fill(length, size);
    return this.#buffers[this.#turn].subarray(0, length);
  }

  async #pull(): Promise<Uint8Array | null> {
    const next = this.#ended ? null : await this.#iterator.next();
    if (next === null || next.done === true) {
      this.#ended = true;
      return null;
    }
    this.#length += next.value.length;
    return next.value;
  }

  #fill(length: number, size: number): number {
    const part = this.#rest.subarray(0, size - length);
    const needed = length + part.length;
    let buffer = this.#buffers[this.#turn];
    if (buffer.length < needed) {
      const grown = new Uint8Array(needed > smallCapacity ? size : Math.min(size, smallCapacity));
      grown.set(buffer.subarray(0, length));
      this.#buffers[this.#turn] = grown;
      buffer = grown;
    }
    buffer.set(part, length);
    this.#rest = this.#rest.subarray(part.length);
    return part.length;
  }

  /** Returns the rest of the stream: `begun`, the last block, and what follows it. */
  async *rest(begun: Uint8Array): ByteStream {
    yield begun.slice();
    if (this.#rest.length > 0) yield this.#rest;
    this.#rest = new Uint8Array(0);
    for (let chunk = await this.#pull(); chunk !== null; chunk = await this.#pull()) yield chunk;
  }

  /** Ends the stream. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#iterator.return?.();
  }
}
