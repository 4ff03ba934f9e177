/**
 * Digests of file contents in which holes count as zeros, so that a sparse file equals a plain one. `digestTar` makes one for each
 * file.
 */
import { createHash, type Hash } from 'node:crypto';
import type { ContentName } from './traits.ts';

export const blockSize = 4096;
const zeros = Buffer.alloc(blockSize);

/**
 * Digests the contents of a file. Holes count as zeros, without being read: two files of the same length have the same digest
 * exactly if a program would read the same bytes from them, whether they are stored sparse or not.
 *
 * The hash of the data leaves out blocks of zeros. A second hash covers the offsets of all other blocks.
 */
export class ContentDigest {
  readonly #data: Hash = createHash('sha256');
  #map: Hash | null = null;
  readonly #block: Uint8Array;
  #filled = 0;
  /** Bytes before the block that is being filled. */
  #at = 0;
  /** The offset of the current run of non-zero blocks; -1 for none. */
  #runStart = 0;

  /** Uses `block`, `blockSize` bytes, as working memory. The caller may reuse it after `finish`. */
  constructor(block: Uint8Array = new Uint8Array(blockSize)) {
    this.#block = block;
  }

  write(bytes: Uint8Array): void {
    let at = 0;
    if (this.#filled > 0) {
      at = Math.min(bytes.length, blockSize - this.#filled);
      this.#block.set(bytes.subarray(0, at), this.#filled);
      this.#fill(at);
    }
    const whole = at + Math.floor((bytes.length - at) / blockSize) * blockSize;
    if (whole > at) this.#take(bytes, at, whole);
    if (whole < bytes.length) {
      this.#block.set(bytes.subarray(whole), 0);
      this.#filled = bytes.length - whole;
    }
  }

  /** Adds a hole of `count` bytes, in constant time. */
  skip(count: number): void {
    let left = count;
    if (this.#filled > 0) {
      const part = Math.min(left, blockSize - this.#filled);
      this.#block.fill(0, this.#filled, this.#filled + part);
      this.#fill(part);
      left -= part;
    }
    const whole = Math.floor(left / blockSize) * blockSize;
    if (whole > 0) {
      this.#endRun();
      this.#at += whole;
    }
    this.#block.fill(0, 0, left - whole);
    this.#filled += left - whole;
  }

  /** Returns the digest as text; called once. Without a block of zeros it is the SHA-256 of the contents in hex. */
  finish(): string {
    const { hash, hasHoles } = this.finishName();
    // The prefix keeps the two forms apart, so that no contents can be constructed to collide with the other form.
    return `${hasHoles ? 'holes:' : ''}${Buffer.from(hash).toString('hex')}`;
  }

  /** Returns the digest and which of the two forms it has; called once, instead of `finish`. */
  finishName(): ContentName {
    if (this.#filled > 0) this.#take(this.#block, 0, this.#filled);
    if (this.#map === null) return { hash: this.#data.digest(), hasHoles: false };
    this.#endRun();
    const hash = createHash('sha256').update(this.#map.digest()).update(this.#data.digest()).digest();
    return { hash, hasHoles: true };
  }

  #fill(count: number): void {
    this.#filled += count;
    if (this.#filled < blockSize) return;
    this.#filled = 0;
    this.#take(this.#block, 0, blockSize);
  }

  /** Hashes whole blocks; only the last block of a file may be shorter. */
  #take(bytes: Uint8Array, from: number, to: number): void {
    let start = from;
    for (let at = from; at < to; at += blockSize) {
      const end = Math.min(at + blockSize, to);
      if (!isZero(bytes, at, end)) {
        if (this.#runStart < 0) {
          this.#runStart = this.#at + at - from;
          start = at;
        }
        continue;
      }
      if (this.#runStart >= 0) {
        if (at > start) this.#data.update(bytes.subarray(start, at));
        this.#endRun(this.#at + at - from);
      }
    }
    if (this.#runStart >= 0) this.#data.update(bytes.subarray(start, to));
    this.#at += to - from;
  }

  #endRun(end = this.#at): void {
    this.#map ??= createHash('sha256');
    if (this.#runStart >= 0) this.#map.update(`${this.#runStart}-${end} `);
    this.#runStart = -1;
  }
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  return bytes[from] === 0 && bytes[to - 1] === 0 && zeros.compare(bytes, from, to, 0, to - from) === 0;
}
