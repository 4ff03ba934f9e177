/**
 * Reads raw deflate streams (RFC 1951) without unpacking them: every symbol is read and nothing is written. The gzip worker finds last
 * blocks with it, to join streams that were packed apart, because libdeflate cannot leave a stream open; `gzip-scan.ts` finds all blocks.
 */
import {
  blockEnds,
  bytesOf,
  type Codes,
  distanceNext,
  fixedCodes,
  indexBits,
  kindAt,
  makeCode,
  makeCodes,
  malformed,
  notThere,
  readEntry,
  readSymbol,
} from './deflate-codes.ts';

/** Positions in a raw deflate stream, in bits from its first byte; within a byte the lowest bit comes first. */
export interface StreamEnd {
  /** Where the header of the last block begins: its first bit is BFINAL. */
  readonly lastBlock: number;
  /** Where the stream ends. */
  readonly end: number;
}

/**
 * Returns where the last block of a stream begins and where the stream ends. Bytes behind the end are ignored. Distances that
 * reach back too far are not noticed, since nothing is unpacked.
 * @throws CODEC for what is not deflate, and for a stream that stops early
 */
export function findLastBlock(bytes: Uint8Array): StreamEnd {
  const bits = new Bits(bytes);
  for (let start = 0; ; ) {
    const header = bits.at(start) & 7;
    const end = endOfBlock(bits, start + 3, header >> 1);
    if (end > bits.length) throw endsEarly();
    if ((header & 1) === 1) return { lastBlock: start, end };
    start = end;
  }
}

function endsEarly() {
  return malformed('it stops early');
}

/** Bits of a stream, by position. Behind its end all bits are 0. */
export class Bits {
  readonly length: number;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length * 8;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Returns at least 25 bits from a position on, the first one lowest. */
  at(position: number): number {
    const byte = position >>> 3;
    const { view } = this;
    if (byte + 4 <= view.byteLength) return view.getUint32(byte, true) >>> (position & 7);
    let word = 0;
    for (let i = view.byteLength - 1; i >= byte; i--) word = (word << 8) | view.getUint8(i);
    return word >>> (position & 7);
  }
}

/** Returns the position behind a block whose contents begin at `position`. */
function endOfBlock(bits: Bits, position: number, type: number): number {
  switch (type) {
    case 0:
      return endOfStored(bits, position);
    case 1:
      return endOfSymbols(bits, position, fixedCodes());
    case 2: {
      const { codes, end } = readCodes(bits, position);
      return endOfSymbols(bits, end, codes);
    }
    default:
      throw malformed('a block has an unknown type');
  }
}

/** A stored block: padding to a byte, its length and the complement of that, bytes (section 3.2.4). */
function endOfStored(bits: Bits, position: number): number {
  const start = Math.ceil(position / 8) * 8;
  if (start + 32 > bits.length) throw endsEarly();
  return start + 32 + storedLength(bits, start) * 8;
}

/** Reads the length of a stored block, in bytes, and its complement. @throws CODEC where they do not fit */
export function storedLength(bits: Bits, start: number): number {
  const length = bits.at(start) & 0xffff;
  if ((length ^ (bits.at(start + 16) & 0xffff)) !== 0xffff)
    throw malformed('the length of a stored block is damaged');
  return length;
}

function endOfSymbols(bits: Bits, start: number, codes: Codes): number {
  const place = { position: start, half: 0, bytes: 0 };
  skipSymbols(bits, codes, place, bits.length);
  if (place.half >= 0) throw endsEarly();
  return place.position;
}

/** A place among the symbols of a block. */
export interface SymbolPlace {
  position: number;
  /** The half of the table that has the next symbol's code; -1 behind the end of the block. */
  half: number;
  /** The sum of the bytes that symbols unpack to. */
  bytes: number;
}

/**
 * Skips symbols until the block ends, or the next one begins at `end` or behind it. Literals, lengths and distances take the same path
 * through the loop, so that the processor has no branch to guess. @throws CODEC for a symbol that does not exist
 */
export function skipSymbols(bits: Bits, codes: Codes, place: SymbolPlace, end: number): void {
  const { table } = codes;
  const { view, length } = bits;
  const mask = (1 << indexBits) - 1;
  const readable = length - 32;
  let { position, half, bytes } = place;
  while (position < end && half >= 0) {
    const word =
      position < readable ? view.getUint32(position >>> 3, true) >>> (position & 7) : bits.at(position);
    let entry = table[half | (word & mask)] as number;
    if (entry >= notThere) entry = readEntry(word, codes, half === 0 ? 0 : 1);
    position += entry & 31;
    bytes += bytesOf(entry, word);
    half = entry >= blockEnds ? -1 : (entry & distanceNext) >> (kindAt - indexBits);
  }
  place.position = position;
  place.half = half;
  place.bytes = bytes;
}

/** The order in which the lengths of the code of lengths are written (section 3.2.7). */
const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** The most bits of the codes at the head of a block: three counts, lengths of lengths, and 316 lengths of at most 14 bits. */
export const codesBits = 14 + 19 * 3 + 316 * 14;

/** Reads the codes at the head of a block (section 3.2.7). @throws CODEC, also for codes that are cut off */
export function readCodes(bits: Bits, start: number): { readonly codes: Codes; readonly end: number } {
  const head = bits.at(start);
  const literals = (head & 31) + 257;
  const distances = ((head >> 5) & 31) + 1;
  const count = ((head >> 10) & 15) + 4;
  if (literals > 286 || distances > 30) throw malformed('a block has too many codes');
  const own = new Uint8Array(19);
  let position = start + 14;
  for (let i = 0; i < count; i++, position += 3) own[order[i] as number] = bits.at(position) & 7;
  const lengths = new Uint8Array(literals + distances);
  const end = readLengths(bits, position, own, lengths);
  return { codes: makeCodes(lengths.subarray(0, literals), lengths.subarray(literals)), end };
}

/** Symbols of the code of lengths that repeat one: the fewest repeats, and the bits that add to them. */
const repeats: Readonly<Record<number, readonly [fewest: number, bits: number]>> = {
  16: [3, 2],
  17: [3, 3],
  18: [11, 7],
};

/** Reads the lengths of both codes into `lengths`, by a code of the lengths `own`. Returns the position behind them. */
function readLengths(bits: Bits, start: number, own: Uint8Array, lengths: Uint8Array): number {
  const code = makeCode(own);
  let position = start;
  for (let filled = 0; filled < lengths.length; ) {
    if (position >= bits.length) throw endsEarly();
    const found = readSymbol(bits.at(position), code);
    position += found.bits;
    const repeat = repeats[found.symbol];
    if (repeat === undefined) {
      lengths[filled++] = found.symbol;
      continue;
    }
    const [fewest, extra] = repeat;
    const last = filled + fewest + (bits.at(position) & ((1 << extra) - 1));
    position += extra;
    if (last > lengths.length || (found.symbol === 16 && filled === 0))
      throw malformed('a repeated length has no place');
    lengths.fill(found.symbol === 16 ? (lengths[filled - 1] as number) : 0, filled, last);
    filled = last;
  }
  return position;
}
