import type { ByteStream } from '../stream/byte-stream.ts';

/** A piece of the input of an encoder. */
export interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly last: boolean;
}

/** Larger blocks take more time to encode than to make anew, and are too large to lie about. */
const recycledSize = 8 * 1024 * 1024;
const nothing = new Uint8Array(0);
const ended = { done: true, value: undefined } as const;

/**
 * Cuts a stream into blocks of exactly `size` bytes, only the last one shorter, whatever the chunks; an empty stream is one
 * empty block. Chunks are copied once, into memory that is used again when it is given back.
 */
export class BlockReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #size: number;
  readonly #spare: ArrayBuffer[] = [];
  #chunk: Uint8Array = nothing;
  #closed = false;

  constructor(stream: ByteStream, size: number) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#size = size;
  }

  /** Not to be called again after the last block. */
  async next(): Promise<Block> {
    const size = this.#size;
    const bytes = new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(size));
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

  /** Gives back the memory of a block that nobody reads any more. */
  recycle(memory: ArrayBuffer): void {
    if (!this.#closed && memory.byteLength === this.#size && this.#size <= recycledSize)
      this.#spare.push(memory);
    // Detached memory is freed at once, and not when the collector comes by.
    else memory.transfer(0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#spare.length = 0;
    await this.#chunks.return?.();
  }
}
