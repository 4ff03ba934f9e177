import type { ByteStream } from '../stream/byte-stream.ts';

/** A piece of the input of an encoder. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/** Gives a stream block by block. One consumer, who closes it. */
export interface BlockSource {
  /**
   * The next bytes, in `memory`: it is full unless they are the last. An empty stream is one empty block. Not to be asked
   * for after the last one.
   */
  next(memory: SharedArrayBuffer): Promise<Block>;
  close(): Promise<void>;
}

const nothing = new Uint8Array(0);
const ended = { done: true, value: undefined } as const;

/** Cuts a stream into blocks, whatever its chunks. */
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
    // One byte beyond a full block must be seen, to know whether the block is the last.
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
 * Memory of blocks, to be used again: making it anew costs as much as a copy. It is shared between threads, so that one can
 * fill it and others read it without moving it.
 */
export class BlockMemory {
  readonly #most: number;
  #spare: SharedArrayBuffer[] = [];

  /** Keeps no more than `most` blocks, all of one size. */
  constructor(most: number) {
    this.#most = most;
  }

  take(size: number): SharedArrayBuffer {
    const spare = this.#spare.pop();
    if (spare?.byteLength === size) return spare;
    // The others are of that other size, too.
    this.#spare = [];
    return new SharedArrayBuffer(size);
  }

  /** Gives back what nobody reads any more. */
  give(memory: ArrayBufferLike): void {
    if (!(memory instanceof SharedArrayBuffer) || this.#spare.length >= this.#most) return;
    if (this.#spare.length > 0 && this.#spare[0]?.byteLength !== memory.byteLength) return;
    this.#spare.push(memory);
  }
}
