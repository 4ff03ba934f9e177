/**
 * Writers and readers of packed numbers, for the columns of a page. They run in a browser too, so they name nothing of Node.
 */

/** Bytes that grow. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const more = new Uint8Array(2 * this.#bytes.length);
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#bytes[this.#length++] = value;
  }

  /** Writes a whole number from 0 to 2^53 - 1, seven bits a byte, the lowest first. */
  count(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    this.byte(rest);
  }

  all(bytes: Uint8Array): void {
    for (const byte of bytes) this.byte(byte);
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Bits that grow, the highest first. */
export class BitWriter {
  readonly #bytes = new ByteWriter();
  #open = 0;
  #filled = 0;

  /** Writes the lowest bits of a number, 53 at most. */
  bits(value: number, count: number): void {
    for (let at = count - 1; at >= 0; at--) {
      this.#open = (this.#open << 1) | (Math.floor(value / 2 ** at) % 2);
      if (++this.#filled < 8) continue;
      this.#bytes.byte(this.#open);
      this.#open = 0;
      this.#filled = 0;
    }
  }

  finish(): Uint8Array {
    if (this.#filled > 0) this.bits(0, 8 - this.#filled);
    return this.#bytes.finish();
  }
}

/** A cursor over bytes. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes[this.#at++] as number;
  }

  count(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Uint8Array {
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }
}

/** A cursor over bits. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++)
      value = value * 2 + (((this.#bytes[this.#at >> 3] as number) >> (7 - (this.#at & 7))) & 1);
    return value;
  }
}
