/**
 * Fingerprints of file contents, as the analysis compares files by: 16 bytes an entry in one column. The gatherer keeps one for each
 * layer.
 */
import { createHash, hash, type Hash } from 'node:crypto';
import { crc32 } from '../../codec/crc32.ts';
import type { FileSink } from '../../rootfs/facts/collector.ts';
import { type ContentPrints, headBytes, printBytes } from '../../rootfs/facts/prints.ts';

/**
 * Takes the bodies of files one after the other. Nearly all are whole in one chunk, and are hashed by one call; the sink is the same
 * for all files, so that a file leaves no garbage but its digest.
 */
export class PrintSink implements FileSink {
  #column = new Uint8Array(256 * printBytes);
  #entries = 0;
  #entry = 0;
  #size = 0;
  #left = 0;
  #hash: Hash | null = null;
  /** Of a large file: what the hash still takes of its beginning, and the checksum of all of it so far. */
  #head = 0;
  #checksum = 0;
  /** What else wants the body of this file; null for nothing. */
  #other: FileSink | null = null;

  /** Begins a file of a size above 0, in bytes. What `other` wants of it is passed on. */
  begin(entry: number, size: number, other: FileSink | null): FileSink {
    this.#entry = entry;
    this.#size = size;
    this.#left = size;
    this.#hash = null;
    this.#head = headBytes;
    this.#checksum = 0;
    this.#other = other;
    return this;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#other?.write(chunk) === false) this.#stop();
    const part = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= part.length;
    if (this.#size > headBytes) this.#sum(part);
    else if (part.length === this.#size) this.#put(hash('sha256', part, 'buffer'));
    else (this.#hash ??= createHash('sha256')).update(part);
    return this.#left > 0;
  }

  /** Takes the next bytes of a large file. */
  #sum(part: Uint8Array): void {
    this.#hash ??= createHash('sha256');
    if (this.#head > 0) {
      const head = part.subarray(0, this.#head);
      this.#hash.update(head);
      this.#head -= head.length;
    }
    this.#checksum = crc32(part, this.#checksum);
  }

  end(): void {
    if (this.#hash !== null) this.#put(this.#finishHash(this.#hash));
    this.#hash = null;
    this.#stop();
  }

  #finishHash(own: Hash): Uint8Array {
    if (this.#size <= headBytes) return own.digest();
    const tail = Buffer.alloc(8 + 4);
    tail.writeDoubleBE(this.#size);
    tail.writeUInt32BE(this.#checksum, 8);
    return own.update(tail).digest();
  }

  /** Returns the column of a layer with so many entries. */
  finish(entries: number): ContentPrints {
    const column = new Uint8Array(entries * printBytes);
    column.set(this.#column.subarray(0, this.#entries * printBytes));
    return column;
  }

  #stop(): void {
    this.#other?.end();
    this.#other = null;
  }

  #put(digest: Uint8Array): void {
    this.#entries = this.#entry + 1;
    const end = this.#entries * printBytes;
    if (end > this.#column.length) {
      const more = new Uint8Array(Math.max(2 * this.#column.length, end));
      more.set(this.#column);
      this.#column = more;
    }
    this.#column.set(digest.subarray(0, printBytes), end - printBytes);
  }
}
