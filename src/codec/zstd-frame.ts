/**
 * Finds the frames of a zstd stream without decoding them: sizes, windows, checksums. The decoder walks frames with it, and the
 * encoder checks what it wrote.
 */
import { OcislimError } from '../errors.ts';

/** What a zstd frame says about itself before its first block (RFC 8878 section 3.1.1.1). */
export interface ZstdFrameHeader {
  readonly kind: 'frame';
  /** Bytes of history that a decoder must keep. */
  readonly windowSize: number;
  /** Bytes that the frame says it unpacks to, or null. A claim until the frame has been decoded. */
  readonly contentSize: number | null;
  /** Whether an XXH64 checksum follows the last block. */
  readonly checksum: boolean;
}

/** A frame that carries no data (RFC 8878 section 3.1.2). */
export interface SkippableFrameHeader {
  readonly kind: 'skippable';
}

type Phase =
  | 'magic'
  | 'skippable size'
  | 'descriptor'
  | 'header'
  | 'block header'
  | 'body'
  | 'last body'
  | 'checksum'
  | 'done';

/**
 * Finds the end of one frame. Push the bytes from its magic number on, chunk by chunk, until `done`. `header` is set once its
 * bytes have passed.
 * @throws CODEC for bytes that cannot be a frame
 */
export class ZstdFrameScanner {
  header: ZstdFrameHeader | SkippableFrameHeader | null = null;
  #phase: Phase = 'magic';
  /** Bytes of the current field: at most a descriptor and 13 bytes of header. */
  readonly #field = new Uint8Array(14);
  #have = 0;
  /** Bytes still to come in this phase. */
  #left = 4;

  get done(): boolean {
    return this.#phase === 'done';
  }

  /** Takes the bytes from `offset` on that belong to the frame and returns the offset behind them. Stops once behind the header. */
  push(chunk: Uint8Array, offset: number): number {
    let position = offset;
    const before = this.header;
    while (position < chunk.length && this.#phase !== 'done' && this.header === before) {
      const count = Math.min(this.#left, chunk.length - position);
      if (this.#phase !== 'body' && this.#phase !== 'last body') {
        for (let i = 0; i < count; i++) this.#field[this.#have++] = chunk[position + i] as number;
      }
      position += count;
      this.#left -= count;
      while (this.#left === 0 && !this.done) this.#next();
    }
    return position;
  }

  #enter(phase: Phase, length: number, keep = 0): void {
    this.#phase = phase;
    this.#left = length;
    this.#have = keep;
  }

  /** Enters the next phase, when the current one has all its bytes. */
  #next(): void {
    switch (this.#phase) {
      case 'magic':
        return this.#magic();
      case 'skippable size':
        this.header = { kind: 'skippable' };
        return this.#enter('last body', this.#number(0, 4));
      case 'descriptor':
        return this.#descriptor();
      case 'header':
        this.header = parseHeader(this.#field);
        return this.#enter('block header', 3);
      case 'block header':
        return this.#block();
      case 'body':
        return this.#enter('block header', 3);
      case 'last body':
        return this.header?.kind === 'frame' && this.header.checksum
          ? this.#enter('checksum', 4)
          : this.#enter('done', 0);
      case 'checksum':
        return this.#enter('done', 0);
      case 'done':
    }
  }

  #magic(): void {
    const magic = this.#number(0, 4);
    if (magic === 0xfd2fb528) return this.#enter('descriptor', 1);
    if (magic >>> 4 === 0x184d2a5) return this.#enter('skippable size', 4);
    throw damaged('a frame does not start with a magic number of zstd');
  }

  #descriptor(): void {
    const { contentSizeBytes, windowBytes, dictionaryBytes, reserved } = descriptorFields(
      this.#field[0] as number,
    );
    if (reserved) throw damaged('a frame header uses a reserved bit');
    this.#enter('header', contentSizeBytes + windowBytes + dictionaryBytes, 1);
  }

  #block(): void {
    const word = this.#number(0, 3);
    const type = (word >> 1) & 3;
    if (type === 3) throw damaged('a block has the reserved type');
    // An RLE block (RFC 8878 section 3.1.1.2.2) stores one byte, however many it stands for.
    this.#enter((word & 1) === 1 ? 'last body' : 'body', type === 1 ? 1 : word >> 3);
  }

  #number(offset: number, length: number): number {
    return littleEndian(this.#field, offset, length);
  }
}

function descriptorFields(descriptor: number) {
  const singleSegment = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  return {
    contentSizeBytes: flag === 0 ? (singleSegment ? 1 : 0) : 1 << flag,
    windowBytes: singleSegment ? 0 : 1,
    dictionaryBytes: [0, 1, 2, 4][descriptor & 3] as number,
    reserved: (descriptor & 0x08) !== 0,
    checksum: (descriptor & 0x04) !== 0,
  };
}

/** Parses the frame header descriptor and the fields behind it, up to the first block. */
function parseHeader(field: Uint8Array): ZstdFrameHeader {
  const { contentSizeBytes, windowBytes, dictionaryBytes, checksum } = descriptorFields(field[0] as number);
  if (littleEndian(field, 1 + windowBytes, dictionaryBytes) !== 0)
    throw damaged('a frame needs a dictionary');
  const sizeAt = 1 + windowBytes + dictionaryBytes;
  let contentSize: number | null = null;
  if (contentSizeBytes > 0) {
    // The two-byte form counts from 256 (RFC 8878 section 3.1.1.1.4).
    contentSize = littleEndian(field, sizeAt, contentSizeBytes) + (contentSizeBytes === 2 ? 256 : 0);
  }
  const windowByte = field[1] as number;
  const windowBase = 2 ** (10 + (windowByte >> 3));
  return {
    kind: 'frame',
    windowSize: windowBytes === 0 ? (contentSize ?? 0) : windowBase + (windowBase / 8) * (windowByte & 7),
    contentSize,
    checksum,
  };
}

/** Reads up to 8 bytes. Beyond 2^53 the number is not exact: such sizes are beyond every limit. */
function littleEndian(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[offset + i] as number);
  return value;
}

/** Makes the error for a stream that breaks RFC 8878. */
export function damaged(reason: string, cause?: unknown): OcislimError {
  return new OcislimError('CODEC', `the zstd stream is damaged: ${reason}`, { cause });
}
