import { crc32 } from 'node:zlib';

/** The ends of a gzip member that we put together ourselves (RFC 1952 section 2.3), around raw deflate data. */
export class GzipMember {
  readonly head: Uint8Array;
  #crc = 0;
  #size = 0;

  /** No name, no time, and the operating system 255, "unknown", so that nothing depends on where it was made. */
  constructor(level: number) {
    const extraFlags = level === 9 ? 2 : level === 1 ? 4 : 0;
    this.head = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extraFlags, 255]);
  }

  /** Counts the unpacked bytes in, in order. */
  add(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#size += bytes.length;
  }

  tail(): Uint8Array {
    const tail = new DataView(new ArrayBuffer(8));
    tail.setUint32(0, this.#crc, true);
    tail.setUint32(4, this.#size % 2 ** 32, true);
    return new Uint8Array(tail.buffer);
  }
}
