/**
 * The Huffman codes of deflate (RFC 1951 section 3.2), made into tables that say how many bits to skip and how many bytes these
 * unpack to. `deflate-scan.ts` and `gzip-scan.ts` read streams with them; which bytes the symbols stand for does not matter there.
 */
import { OcislimError } from '../errors.ts';

/** The longest code of a symbol, in bits. */
const longest = 15;

/** Bits that index a table. More join more symbols, but take longer to fill in for each block; measured. */
export const indexBits = 10;
const size = 1 << indexBits;

/**
 * An entry of a table, from its lowest bit on: five bits, how many bits of the stream to skip; four, behind how many of them the extra
 * bits of a length begin; three, how many these are; twelve, how many bytes come out beside what the extra bits say; two, what
 * follows. A flag for distances moves the next look-up into the half of the table that holds them.
 */
export const kindAt = 24;
const bytesAt = 12;
const extraAt = 9;
const startAt = 5;
/** The next symbol is a distance, not a literal or length. */
export const distanceNext = 1 << kindAt;
/** The block ends here. */
export const blockEnds = 2 << kindAt;
/** Nothing to skip: the code is longer than the index, or does not exist. */
export const notThere = 3 << kindAt;
/** What a code of one bit adds to an entry. */
const codeBit = 1 + (1 << startAt);

/** Returns how many bytes come out of what an entry skips, from its first bit in `word` on. */
export function bytesOf(entry: number, word: number): number {
  const extra = (word >>> ((entry >> startAt) & 15)) & ((1 << ((entry >> extraAt) & 7)) - 1);
  return ((entry >> bytesAt) & 4095) + extra;
}

/** A canonical code over the symbols of an alphabet (section 3.2.2). */
export interface Code {
  /** How many symbols have a code of so many bits. */
  readonly counts: Uint16Array;
  /** The symbols in the order of their codes. */
  readonly symbols: Uint16Array;
}

/** What a block is read with. */
export interface Codes {
  /** The code of literals and lengths, then that of distances. */
  readonly codes: readonly [Code, Code];
  /** By the next `indexBits` bits: entries for literals and lengths, then for distances, each for as many symbols as fit. */
  readonly table: Int32Array;
}

/** Extra bits of the length symbols 257 to 285 (section 3.2.5). */
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/** The shortest length of each of these symbols. The last one takes the place of a longer code for the longest length. */
const lengthBase = lengthExtra.map((_, i) =>
  i === 28 ? 258 : lengthExtra.slice(0, i).reduce((length, extra) => length + (1 << extra), 3),
);

/** The entry of each literal and length, without the bits of its code. The symbols 286 and 287 do not occur. */
const literalEntries = Int32Array.from({ length: 288 }, (_, symbol) => {
  if (symbol < 256) return 1 << bytesAt;
  if (symbol === 256) return blockEnds;
  const extra = lengthExtra[symbol - 257];
  if (extra === undefined) return notThere;
  return distanceNext | ((lengthBase[symbol - 257] as number) << bytesAt) | (extra << extraAt) | extra;
});

/** The entry of each distance, without the bits of its code. The symbols 30 and 31 do not occur. */
const distanceEntries = Int32Array.from({ length: 32 }, (_, symbol) =>
  symbol < 30 ? Math.max(0, (symbol >> 1) - 1) : notThere,
);

const entriesOf = [literalEntries, distanceEntries] as const;

/** Returns the error for a stream that is not deflate. */
export function malformed(why: string): OcislimError {
  return new OcislimError('CODEC', `a deflate stream is malformed: ${why}`);
}

/** Makes the codes of a block from the lengths of its symbols' codes. @throws CODEC for lengths that do not fit together */
export function makeCodes(literals: Uint8Array, distances: Uint8Array): Codes {
  if (literals[256] === 0) throw malformed('a block has no end');
  const codes = [makeCode(literals, 'lone'), makeCode(distances, 'lone')] as const;
  const table = new Int32Array(2 * size);
  fill(table.subarray(0, size), codes[0], literalEntries);
  fill(table.subarray(size), codes[1], distanceEntries);
  return { codes, table };
}

let fixed: Codes | null = null;

/** Returns the codes of blocks that state none (section 3.2.6). */
export function fixedCodes(): Codes {
  fixed ??= makeCodes(
    Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
    new Uint8Array(32).fill(5),
  );
  return fixed;
}

/**
 * Makes the code of an alphabet from the length of each symbol's code. It must be complete; with `lone`, an alphabet of at most
 * one symbol, with a code of one bit, will do (section 3.2.7). @throws CODEC
 */
export function makeCode(lengths: Uint8Array, exception?: 'lone'): Code {
  const counts = new Uint16Array(longest + 1);
  for (const length of lengths) counts[length] = (counts[length] as number) + 1;
  const used = lengths.length - (counts[0] as number);
  counts[0] = 0;
  const isLone = exception === 'lone' && used <= 1 && counts[1] === used;
  if (!isLone && !isComplete(counts)) throw malformed('the lengths of its codes do not fit together');
  const next = new Uint16Array(longest + 2);
  for (let bits = 1; bits <= longest; bits++)
    next[bits + 1] = (next[bits] as number) + (counts[bits] as number);
  const symbols = new Uint16Array(used);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const bits = lengths[symbol] as number;
    if (bits > 0) symbols[(next[bits] as number)++] = symbol;
  }
  return { counts, symbols };
}

/** Whether codes of these lengths take every combination of bits, each once. */
function isComplete(counts: Uint16Array): boolean {
  let left = 1;
  for (let bits = 1; bits <= longest; bits++) {
    left = left * 2 - (counts[bits] as number);
    if (left < 0) return false;
  }
  return left === 0;
}

/** Reads one symbol bit by bit, from the lowest bit of `word`. @throws CODEC for a code that does not exist */
export function readSymbol(
  word: number,
  { counts, symbols }: Code,
): { readonly symbol: number; readonly bits: number } {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let bits = 1; bits <= longest; bits++) {
    code |= (word >> (bits - 1)) & 1;
    const count = counts[bits] as number;
    if (code - count < first) return { symbol: symbols[index + code - first] as number, bits };
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw malformed('a code does not exist');
}

/** Returns the entry for a symbol whose code is too long for the table. @throws CODEC for a symbol that does not exist */
export function readEntry(word: number, { codes }: Codes, alphabet: 0 | 1): number {
  const { symbol, bits } = readSymbol(word, codes[alphabet]);
  const entry = entriesOf[alphabet][symbol] as number;
  if (entry === notThere) throw malformed('a symbol does not exist');
  return entry + bits * codeBit;
}

/** Fills half a table: each code that fits stands at every index that begins with it, its first bit lowest. */
function fill(table: Int32Array, { counts, symbols }: Code, entries: Int32Array): void {
  table.fill(notThere);
  const widths = new Uint8Array(size);
  let code = 0;
  let next = 0;
  for (let bits = 1; bits <= indexBits; bits++) {
    code <<= 1;
    for (let i = 0; i < (counts[bits] as number); i++, code++) {
      const entry = entries[symbols[next++] as number] as number;
      if (entry === notThere) continue;
      for (let at = reversed(code, bits); at < size; at += 1 << bits) {
        table[at] = entry + bits * codeBit;
        widths[at] = bits;
      }
    }
  }
  if (entries === literalEntries) joinLiterals(table, widths);
}

/** Lets the entry of a literal skip the symbols behind it too, as far as the index holds their codes whole. */
function joinLiterals(table: Int32Array, widths: Uint8Array): void {
  const single = table.slice();
  for (let at = 0; at < size; at++) {
    let width = widths[at] as number;
    let entry = single[at] as number;
    for (let literals = 1; width > 0 && entry < distanceNext; literals++) {
      const rest = at >> width;
      const added = widths[rest] as number;
      if (added === 0 || width + added > indexBits) break;
      entry = (single[rest] as number) + width * codeBit + (literals << bytesAt);
      width += added;
    }
    table[at] = entry;
  }
}

function reversed(code: number, bits: number): number {
  let result = 0;
  for (let i = 0; i < bits; i++) result = (result << 1) | ((code >> i) & 1);
  return result;
}
