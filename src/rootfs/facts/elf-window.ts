/**
 * Keeps parts of a file that streams by. `ElfProbe` writes all bytes of a file into it, and reads the parts that were kept.
 */
import { KiB } from '../../units.ts';

/** The beginning of a file, its end, and those ranges between them that are added before they stream by. */
export class ElfWindows {
  readonly #windows: Window[] = [];
  /** Size of the beginning that is kept. */
  readonly prefixBytes: number;
  #at = 0;

  /** Keeps at most `maxPrefix` bytes of the start and `maxTail` of the end of a file of `size` bytes. */
  constructor(size: number, maxPrefix: number, maxTail: number) {
    this.prefixBytes = Math.min(size, maxPrefix);
    this.#windows.push(new Window(0, this.prefixBytes));
    const tail = Math.max(this.prefixBytes, size - maxTail);
    if (tail < size) this.#windows.push(new Window(tail, size));
  }

  /** Number of bytes that were written so far. */
  get position(): number {
    return this.#at;
  }

  /** Adds a range. One whose first byte was written already is not kept. */
  add(start: number, end: number): void {
    if (start >= this.#at && end > start) this.#windows.push(new Window(start, end));
  }

  write(chunk: Uint8Array): void {
    for (const window of this.#windows) window.write(chunk, this.#at);
    this.#at += chunk.length;
  }

  /** Returns these bytes; null where not all of them were kept. */
  get(start: number, length: number): Uint8Array | null {
    for (const window of this.#windows) {
      const found = window.get(start, length);
      if (found !== null) return found;
    }
    return null;
  }

  /** Returns as many of these bytes as were kept, from the first on. */
  most(start: number, length: number): Uint8Array {
    for (const window of this.#windows) {
      const found = window.get(start, Math.min(length, window.start + window.filled - start));
      if (found !== null && found.length > 0) return found;
    }
    return new Uint8Array(0);
  }
}

/** One range. Its memory grows with the bytes that were written, since headers may claim any length. */
class Window {
  readonly start: number;
  readonly #end: number;
  #bytes = new Uint8Array(0);
  filled = 0;

  constructor(start: number, end: number) {
    this.start = start;
    this.#end = end;
  }

  write(chunk: Uint8Array, at: number): void {
    const next = this.start + this.filled;
    const from = next - at;
    const to = Math.min(chunk.length, this.#end - at);
    if (from < 0 || from >= to) return;
    const part = chunk.subarray(from, to);
    if (this.filled + part.length > this.#bytes.length) {
      const wanted = Math.max(this.#bytes.length * 2, this.filled + part.length, 64 * KiB);
      const grown = new Uint8Array(Math.min(wanted, this.#end - this.start));
      grown.set(this.#bytes.subarray(0, this.filled));
      this.#bytes = grown;
    }
    this.#bytes.set(part, this.filled);
    this.filled += part.length;
  }

  get(start: number, length: number): Uint8Array | null {
    const from = start - this.start;
    if (!(from >= 0 && length >= 0 && from + length <= this.filled)) return null;
    return this.#bytes.subarray(from, from + length);
  }
}
