/**
 * Gathers small chunks into blocks, since hashing and encoding cost something for each chunk. Layers that are edited go
 * through `coalesce`; readers of tars, which hold pieces of larger chunks, use `Coalescer`.
 */
import type { ByteStream } from './byte-stream.ts';
import { KiB } from '../units.ts';

const blockBytes = 256 * KiB;

/** Passes a stream on in blocks of about `size` bytes. Chunks of at least half of that pass as they are. */
export async function* coalesce(stream: ByteStream, size = blockBytes): ByteStream {
  const pieces = new Coalescer(size);
  for await (const chunk of stream) {
    pieces.add(chunk);
    yield* pieces.ready();
  }
  pieces.end();
  yield* pieces.ready();
}

/** Gathers pieces that the caller has in hand: `add` each, and then `take` the blocks that have become large enough. */
export class Coalescer {
  readonly #size: number;
  /** Bytes from which on copying a chunk costs more than passing it on. */
  readonly #large: number;
  #block: Uint8Array = new Uint8Array(0);
  /** The part of the block that has been gathered and not been given out. */
  #from = 0;
  #to = 0;
  /** The last pieces, as long as they adjoin in memory: a run of them is copied, or passed on, as one. */
  #memory: ArrayBufferLike = this.#block.buffer;
  #start = 0;
  #end = 0;
  readonly #ready: Uint8Array[] = [];

  /** Joins pieces to blocks of `size` bytes. */
  constructor(size = blockBytes) {
    this.#size = size;
    this.#large = size / 2;
  }

  /** Takes a piece. It must not be written to before the blocks that are ready after `settle` or `end` have been used. */
  add(piece: Uint8Array): void {
    const { buffer, byteOffset, length } = piece;
    if (buffer === this.#memory && byteOffset === this.#end) {
      this.#end += length;
      // The consumer must not wait for a run without end.
      if (this.#end - this.#start >= 4 * this.#size) this.#endRun();
      return;
    }
    this.#endRun();
    this.#memory = buffer;
    this.#start = byteOffset;
    this.#end = byteOffset + length;
    if (length >= this.#large) this.#endRun();
  }

  /** Returns the next block that is ready, or null. */
  take(): Uint8Array | null {
    return this.#ready.shift() ?? null;
  }

  /** Yields all blocks that are ready. */
  *ready(): Generator<Uint8Array> {
    for (let block = this.take(); block !== null; block = this.take()) yield block;
  }

  /** Ends the run of pieces: after the ready blocks have been used, no piece is referred to any more. */
  settle(): void {
    this.#endRun();
  }

  /** Makes all that is left ready. No piece may follow. */
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
    // The rest of a block is filled next, unless that would make a small chunk.
    this.#from = this.#to = this.#block.length - this.#to < this.#large ? this.#block.length : this.#to;
  }
}
