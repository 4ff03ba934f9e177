/**
 * Fingerprints of file contents, as the analysis compares files by: 16 bytes an entry in one column. The gatherer keeps one for each
 * layer.
 */
import { createHash, hash, type Hash } from 'node:crypto';
import type { FileSink } from '../../rootfs/facts/collector.ts';
import { type ContentPrints, headBytes } from '../../rootfs/facts/prints.ts';
import { LargeBody, PrintColumn } from './print-column.ts';

/**
 * Takes the bodies of files one after the other. Nearly all are whole in one chunk, and are hashed by one call; the sink is the same
 * for all files, so that a file leaves no garbage but its digest.
 */
export class PrintSink implements FileSink {
  readonly #column = new PrintColumn();
  #entry = 0;
  #size = 0;
  #left = 0;
  /** Of a file that is not whole in one chunk. */
  #hash: Hash | null = null;
  /** Of a large file. */
  #large: LargeBody | null = null;
  /** What else wants the body of this file; null for nothing. */
  #other: FileSink | null = null;

  /** Begins a file of a size above 0, in bytes. What `other` wants of it is passed on. */
  begin(entry: number, size: number, other: FileSink | null): FileSink {
    this.#entry = entry;
    this.#size = size;
    this.#left = size;
    this.#hash = null;
    this.#large = size > headBytes ? new LargeBody() : null;
    this.#other = other;
    return this;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#other?.write(chunk) === false) this.#stop();
    const part = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= part.length;
    if (this.#large !== null) this.#large.write(part);
    else if (part.length === this.#size) this.#column.put(this.#entry, hash('sha256', part, 'buffer'));
    else (this.#hash ??= createHash('sha256')).update(part);
    return this.#left > 0;
  }

  end(): void {
    const digest = this.#large === null ? this.#hash?.digest() : this.#digestOfLarge(this.#large);
    if (digest !== undefined) this.#column.put(this.#entry, digest);
    this.#hash = null;
    this.#large = null;
    this.#stop();
  }

  #digestOfLarge({ hash: own, checksum }: LargeBody): Uint8Array {
    const tail = Buffer.alloc(8 + 4);
    tail.writeDoubleBE(this.#size);
    tail.writeUInt32BE(checksum, 8);
    return own.update(tail).digest();
  }

  /** Returns the column of a layer with so many entries. */
  finish(entries: number): ContentPrints {
    return this.#column.finish(entries);
  }

  #stop(): void {
    this.#other?.end();
    this.#other = null;
  }
}
