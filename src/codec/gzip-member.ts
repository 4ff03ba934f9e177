import { crc32 } from 'node:zlib';
import { combineCrc } from './crc-combine.ts';

/** Makes the header and trailer of a gzip member (RFC 1952 section 2.3), around raw deflate data. */
export class GzipMember {
  readonly head: Uint8Array;
  #crc = 0;
  #size = 0;

  /** Writes no name, no time, and the operating system 255 ("unknown"), so that the bytes do not depend on the machine. */
  constructor(level: number) {
    const extraFlags = level >= 9 ? 2 : level === 1 ? 4 : 0;
    this.head = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extraFlags, 255]);
  }

  /** Adds unpacked bytes to checksum and length. Must be called in their order. */
  add(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#size += bytes.length;
  }

  /** Adds bytes of a known checksum. Must be called in their order. */
  join(crc: number, length: number): void {
    this.#crc = combineCrc(this.#crc, crc, length);
    this.#size += length;
  }

  /** Returns the trailer for all bytes that were added. */
  tail(): Uint8Array {
    const tail = new DataView(new ArrayBuffer(8));
    tail.setUint32(0, this.#crc, true);
    tail.setUint32(4, this.#size % 2 ** 32, true);
    return new Uint8Array(tail.buffer);
  }
}
