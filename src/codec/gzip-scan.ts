/**
 * Finds the deflate blocks of a gzip stream (RFC 1952) without unpacking it: symbols are read and bytes are counted. `gzip-blocks.ts`
 * runs it beside Node's decoder, which does not say where blocks begin, and leaves all verdicts to that decoder.
 */
import { OcislimError } from '../errors.ts';
import { type Codes, fixedCodes, malformed } from './deflate-codes.ts';
import { Bits, codesBits, readCodes, skipSymbols, storedLength } from './deflate-scan.ts';
import type { GzipBlock } from './gzip-block.ts';

/** Flags of a member's header (RFC 1952 section 2.3.1). */
const flag = { check: 0x02, extra: 0x04, name: 0x08, comment: 0x10 } as const;

const headerBytes = 10;
/** Bytes behind the last block of a member. No symbol of the block lies so near to the end of the stream. */
const trailerBytes = 8;

/**
 * Reads a stream in pieces of any size, and remembers less than a KiB of it. It throws nothing at damage: it is lost from there on.
 * Distances that reach back too far, checksums and most of a header are not looked at.
 */
export class GzipScanner {
  /** Blocks that were found and not taken, in their order. */
  readonly #found: GzipBlock[] = [];
  readonly #reading = this.#members();
  /** The bytes at hand: the last piece, and what was not read of those before it. */
  #bytes: Uint8Array = new Uint8Array(0);
  #bits = new Bits(this.#bytes);
  /** Bytes of the stream before those at hand. */
  #base = 0;
  /** Where to read on, in bits from the first byte at hand. */
  #position = 0;
  /** Bytes of the unpacked stream before the position. */
  #unpacked = 0;
  #state: 'inside' | 'between' | 'lost' = 'inside';

  /** The number of blocks that were not taken. */
  get waiting(): number {
    return this.#found.length;
  }

  /** Returns whether all that came was read, ended with a member, and unpacks to so many bytes. */
  isWhole(bytes: number): boolean {
    return this.#state === 'between' && this.#unpacked === bytes;
  }

  /** Reads a piece of the stream. It must be left alone until the next call. */
  push(piece: Uint8Array): void {
    if (this.#state === 'lost' || piece.length === 0) return;
    const used = this.#position >>> 3;
    this.#bytes = joined(this.#bytes.subarray(used), piece);
    this.#bits = new Bits(this.#bytes);
    this.#base += used;
    this.#position &= 7;
    try {
      this.#reading.next();
    } catch (error) {
      if (!(error instanceof OcislimError)) throw error;
      this.#state = 'lost';
    }
  }

  /** Takes the blocks that begin at most `end` bytes into the unpacked stream. */
  take(end: number): readonly GzipBlock[] {
    const later = this.#found.findIndex(({ byte }) => byte > end);
    return this.#found.splice(0, later < 0 ? this.#found.length : later);
  }

  /** Reads members, and yields wherever it needs another piece. */
  *#members(): Generator<void, never> {
    for (;;) {
      yield* this.#need(8);
      this.#state = 'inside';
      const start = this.#base + (this.#position >>> 3);
      yield* this.#skipHeader();
      for (let isLast = yield* this.#skipBlock(start); !isLast; ) isLast = yield* this.#skipBlock(null);
      this.#position = byteBehind(this.#position);
      yield* this.#skipBytes(trailerBytes);
      this.#state = 'between';
    }
  }

  *#need(bits: number): Generator<void, void> {
    while (this.#position + bits > this.#bits.length) yield;
  }

  *#skipBytes(count: number): Generator<void, void> {
    for (let left = count; ; ) {
      const part = Math.min(left, this.#bytes.length - (this.#position >>> 3));
      this.#position += part * 8;
      left -= part;
      if (left === 0) return;
      yield;
    }
  }

  /** Skips the header of a member, which tells nothing that matters here but its length. */
  *#skipHeader(): Generator<void, void> {
    yield* this.#need(headerBytes * 8);
    const flags = this.#bytes[(this.#position >>> 3) + 3] as number;
    this.#position += headerBytes * 8;
    if (flags & flag.extra) {
      yield* this.#need(16);
      const length = this.#bits.at(this.#position) & 0xffff;
      this.#position += 16;
      yield* this.#skipBytes(length);
    }
    if (flags & flag.name) yield* this.#skipText();
    if (flags & flag.comment) yield* this.#skipText();
    if (flags & flag.check) yield* this.#skipBytes(2);
  }

  /** Skips bytes up to a zero, and that. */
  *#skipText(): Generator<void, void> {
    for (;;) {
      const zero = this.#bytes.indexOf(0, this.#position >>> 3);
      this.#position = 8 * (zero < 0 ? this.#bytes.length : zero + 1);
      if (zero >= 0) return;
      yield;
    }
  }

  /** Skips a block, and returns whether it is the last of its member. */
  *#skipBlock(member: number | null): Generator<void, boolean> {
    this.#found.push({ bit: this.#base * 8 + this.#position, byte: this.#unpacked, member });
    yield* this.#need(3);
    const header = this.#bits.at(this.#position) & 7;
    this.#position += 3;
    switch (header >> 1) {
      case 0:
        yield* this.#skipStored();
        break;
      case 1:
        yield* this.#skipSymbols(fixedCodes());
        break;
      case 2:
        yield* this.#skipSymbols(yield* this.#readCodes());
        break;
      default:
        throw malformed('a block has an unknown type');
    }
    return (header & 1) === 1;
  }

  *#skipStored(): Generator<void, void> {
    this.#position = byteBehind(this.#position);
    yield* this.#need(32);
    const length = storedLength(this.#bits, this.#position);
    this.#position += 32;
    this.#unpacked += length;
    yield* this.#skipBytes(length);
  }

  /** Reads the codes of a block as soon as they are there whole: they do not say how long they are. */
  *#readCodes(): Generator<void, Codes> {
    for (;;) {
      const found = this.#tryCodes();
      if (found !== null) {
        this.#position = found.end;
        return found.codes;
      }
      yield;
    }
  }

  #tryCodes(): ReturnType<typeof readCodes> | null {
    const left = this.#bits.length - this.#position;
    try {
      const found = readCodes(this.#bits, this.#position);
      return found.end > this.#bits.length ? null : found;
    } catch (error) {
      // Behind the bytes at hand all bits read as 0, which may fit nothing.
      if (left < codesBits) return null;
      throw error;
    }
  }

  *#skipSymbols(codes: Codes): Generator<void, void> {
    for (let half = 0; ; ) {
      const place = { position: this.#position, half, bytes: 0 };
      skipSymbols(this.#bits, codes, place, this.#bits.length - trailerBytes * 8 + 1);
      this.#position = place.position;
      this.#unpacked += place.bytes;
      if (place.half < 0) return;
      half = place.half;
      yield;
    }
  }
}

/** Returns the position of the next whole byte, in bits. */
function byteBehind(position: number): number {
  return (position + 7) & ~7;
}

function joined(rest: Uint8Array, piece: Uint8Array): Uint8Array {
  if (rest.length === 0) return piece;
  const bytes = new Uint8Array(rest.length + piece.length);
  bytes.set(rest);
  bytes.set(piece, rest.length);
  return bytes;
}
