import type { ByteStream } from './byte-stream.ts';
import { KiB } from '../units.ts';

const blockBytes = 256 * KiB;

/**
 * Gathers small chunks into larger ones: hashing and encoding pay for each chunk. Chunks that are large already pass
 * as they are.
 */
export async function* coalesce(stream: ByteStream, size = blockBytes): ByteStream {
  const pieces = new Coalescer(size);
  for await (const chunk of stream) {
    pieces.add(chunk);
    yield* pieces.ready();
  }
  pieces.end();
  yield* pieces.ready();
}

/** The same for who has pieces in hand: `add` them, and `take` what has become large enough after each. */
export class Coalescer {
  readonly #size: number;
  /** From so many bytes on, copying costs more than a chunk does. */
  readonly #large: number;
  #block: Uint8Array = new Uint8Array(0);
  /** Where in the block lies what has been gathered and not given out. */
  #from = 0;
  #to = 0;
  /** The last pieces, as long as they adjoin in memory: none of them is copied alone. */
  #memory: ArrayBufferLike = this.#block.buffer;
  #start = 0;
  #end = 0;
  readonly #ready: Uint8Array[] = [];

  /** `size` in bytes of the blocks. */
  constructor(size = blockBytes) {
    this.#size = size;
    this.#large = size / 2;
  }

  add(piece: Uint8Array): void {
    const { buffer, byteOffset, length } = piece;
    if (buffer === this.#memory && byteOffset === this.#end) {
      this.#end += length;
      // However they adjoin, nobody is kept waiting for long.
      if (this.#end - this.#start >= 4 * this.#size) this.#endRun();
      return;
    }
    this.#endRun();
    this.#memory = buffer;
    this.#start = byteOffset;
    this.#end = byteOffset + length;
    if (length >= this.#large) this.#endRun();
  }

  /** The next bytes that are to go on; null for none so far. */
  take(): Uint8Array | null {
    return this.#ready.shift() ?? null;
  }

  /** All that is to go on by now. */
  *ready(): Generator<Uint8Array> {
    for (let block = this.take(); block !== null; block = this.take()) yield block;
  }

  /** Refers to no piece any more once what is ready has been taken and used. */
  settle(): void {
    this.#endRun();
  }

  /** No piece will follow. */
  end(): void {
    this.#endRun();
    this.#giveBlock();
  }

  #endRun(): void {
    const length = this.#end - this.#start;
    if (length === 0) return;
    const run = new Uint8Array(this.#memory, this.#start, length);
    this.#start = this.#end;
    if (length >= this.#large) {
      this.#giveBlock();
      this.#ready.push(run);
      return;
    }
    for (let rest = run; rest.length > 0; ) {
      if (this.#to === this.#block.length) {
        this.#giveBlock();
        this.#block = new Uint8Array(this.#size);
        this.#from = this.#to = 0;
      }
      const part = rest.subarray(0, this.#block.length - this.#to);
      this.#block.set(part, this.#to);
      this.#to += part.length;
      rest = rest.subarray(part.length);
    }
  }

  #giveBlock(): void {
    if (this.#to > this.#from) this.#ready.push(this.#block.subarray(this.#from, this.#to));
    // What is left of a block is filled next, unless that would make a small chunk.
    this.#from = this.#to = this.#block.length - this.#to < this.#large ? this.#block.length : this.#to;
  }
}
