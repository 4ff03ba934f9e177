/**
 * Blocks: the pieces in which encoders take their input, and the shared memory that holds them. The encoders of this room and
 * the readers of `layers` and `jobs` exchange bytes in this form.
 */
import type { ByteStream } from '../stream/byte-stream.ts';

/** A piece of the input of an encoder. */
export interface Block {
  readonly bytes: Uint8Array;
  /** Whether the input ends with it. */
  readonly last: boolean;
}

/** Gives a stream block by block to one consumer. The consumer closes it. */
export interface BlockSource {
  /**
   * Returns the next bytes, in `memory`: it is full unless they are the last. An empty stream is one empty block. Must not
   * be called after the last block.
   */
  next(memory: SharedArrayBuffer): Promise<Block>;
  close(): Promise<void>;
}

const nothing = new Uint8Array(0);
const ended = { done: true, value: undefined } as const;

/** Cuts a stream into blocks, whatever the size of its chunks. */
export class BlockReader implements BlockSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = nothing;
  #closed = false;

  constructor(stream: ByteStream) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async next(memory: SharedArrayBuffer): Promise<Block> {
    const bytes = new Uint8Array(memory);
    const size = bytes.length;
    let filled = 0;
    // Only the byte behind a full block shows that the block is not the last.
    for (;;) {
      const chunk = this.#chunk;
      if (chunk.length > size - filled) {
        bytes.set(chunk.subarray(0, size - filled), filled);
        this.#chunk = chunk.subarray(size - filled);
        return { bytes, last: false };
      }
      bytes.set(chunk, filled);
      filled += chunk.length;
      this.#chunk = nothing;
      const { done, value } = this.#closed ? ended : await this.#chunks.next();
      if (done === true) return { bytes: bytes.subarray(0, filled), last: true };
      this.#chunk = value;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#chunks.return?.();
  }
}

/**
 * Reuses the memory of blocks: allocating it costs as much as a copy. The memory is shared between threads, so that one thread
 * can fill it and others can read it in place.
 */
export class BlockMemory {
  readonly #most: number;
  #spare: SharedArrayBuffer[] = [];

  /** Keeps at most `most` blocks, all of one size. */
  constructor(most: number) {
    this.#most = most;
  }

  take(size: number): SharedArrayBuffer {
    const spare = this.#spare.pop();
    if (spare?.byteLength === size) return spare;
    // All spare blocks have the size of this one.
    this.#spare = [];
    return new SharedArrayBuffer(size);
  }

  /** Takes back memory that is no longer read. */
  give(memory: ArrayBufferLike): void {
    if (!(memory instanceof SharedArrayBuffer) || this.#spare.length >= this.#most) return;
    if (this.#spare.length > 0 && this.#spare[0]?.byteLength !== memory.byteLength) return;
    this.#spare.push(memory);
  }
}
