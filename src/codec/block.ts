import type { ByteStream } from '../stream/byte-stream.ts';

/** A piece of the input of an encoder. */
export interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly last: boolean;
}

/**
 * Cuts a stream into blocks of exactly `size` bytes, only the last one shorter, whatever the chunks; an empty stream is one
 * empty block. Chunks are copied once, into memory that is used again when it is given back.
 */
export class BlockReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #size: number;
  readonly #spare: ArrayBuffer[] = [];
  #chunk: Uint8Array = new Uint8Array(0);
  #ended = false;
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
    // One chunk beyond a full block must be seen, to know whether the block is the last.
    while (await this.#fill()) {
      const chunk = this.#chunk;
      if (filled + chunk.length <= size) {
        bytes.set(chunk, filled);
        filled += chunk.length;
        this.#chunk = chunk.subarray(chunk.length);
        continue;
      }
      bytes.set(chunk.subarray(0, size - filled), filled);
      this.#chunk = chunk.subarray(size - filled);
      return { bytes, last: false };
    }
    return { bytes: bytes.subarray(0, filled), last: true };
  }

  /** Gives back the memory of a block that nobody reads any more. */
  recycle(memory: ArrayBuffer): void {
    if (!this.#closed && memory.byteLength === this.#size) this.#spare.push(memory);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#spare.length = 0;
    if (!this.#ended) await this.#chunks.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      if (this.#closed) return false;
      const { done, value } = await this.#chunks.next();
      if (done === true) {
        this.#ended = true;
        return false;
      }
      this.#chunk = value;
    }
    return true;
  }
}
