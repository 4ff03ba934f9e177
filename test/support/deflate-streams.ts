/**
 * Streams of deflate from every encoder at hand, and the judge of a boundary between blocks: unpacking from there with node:zlib. Tests
 * of joined streams and of blocks call it.
 */
import { constants, crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { deflate as libdeflate } from 'libdeflate';
import { Deflate, deflateRaw as pako, Z_BLOCK, Z_FULL_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH } from 'pako';
import type { GzipBlock } from '../../src/codec/gzip-block.ts';

/** Bytes of many kinds: repeated words, runs, noise, and mixtures, so that all types of blocks and long codes occur. */
export const contents = fc
  .array(
    fc.oneof(
      fc
        .tuple(fc.string({ minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 3000 }))
        .map(([word, times]) => Buffer.from(word.repeat(times).slice(0, 40_000))),
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
      fc.integer({ min: 1, max: 20 }).map((skew) =>
        // Few symbols are frequent and many are rare, which makes long codes.
        Buffer.from(Array.from({ length: 20_000 }, (_, i) => Math.clz32((i * 2_654_435_761) >>> 0) * skew)),
      ),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));

const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_FILTERED, Z_DEFAULT_STRATEGY } = constants;

/** Every encoder that a stream may come from, with every kind of block. */
export const encoders = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map((level) => (bytes: Uint8Array) => libdeflate(bytes, level)),
  fc
    .record({
      level: fc.integer({ min: 0, max: 9 }),
      memLevel: fc.integer({ min: 1, max: 9 }),
      windowBits: fc.integer({ min: 9, max: 15 }),
      strategy: fc.constantFrom(Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_FILTERED, Z_DEFAULT_STRATEGY),
    })
    .map((options) => (bytes: Uint8Array) => deflateRawSync(bytes, options)),
  fc.integer({ min: 1, max: 9 }).map((level) => (bytes: Uint8Array) => pako(bytes, { level })),
);

/** Encoders that write a flush behind each piece of their input, aligned to a byte or not. */
const flushing = fc
  .record({
    level: fc.constantFrom(1, 3, 6, 9),
    flush: fc.constantFrom(Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK),
    piece: fc.integer({ min: 500, max: 30_000 }),
  })
  .map(({ level, flush, piece }) => (bytes: Uint8Array) => {
    const encoder = new Deflate({ level, raw: true });
    for (let at = 0; at < bytes.length; at += piece) encoder.push(bytes.subarray(at, at + piece), flush);
    encoder.push(new Uint8Array(0), true);
    return encoder.result;
  });

/** Bits in the order of a deflate stream. */
type Bits = readonly number[];

/** Returns the bits of a number, the lowest first. */
function bitsOf(value: number, count: number): Bits {
  return Array.from({ length: count }, (_, i) => (value >> i) & 1);
}

/** A block with fixed codes and without bytes: ten bits. */
export const emptyFixed: Bits = [...bitsOf(0b010, 3), ...bitsOf(0, 7)];

/** Returns a block with codes of its own and without bytes: 90 bits, or 91. Its codes are one symbol for its end, and one or two distances. */
function emptyDynamic(isOdd: boolean): Bits {
  const lengthsOfLengths = Array.from({ length: 18 }, (_, i) => (i === 2 || i === 17 ? 1 : 0));
  // Twice the symbol 18 for 256 zeros; then the symbol 1 for each code of one bit.
  const zeros = [1, ...bitsOf(138 - 11, 7), 1, ...bitsOf(118 - 11, 7)];
  const counts = [...bitsOf(0, 5), ...bitsOf(isOdd ? 1 : 0, 5), ...bitsOf(14, 4)];
  const codes = [...counts, ...lengthsOfLengths.flatMap((length) => bitsOf(length, 3)), ...zeros];
  return [...bitsOf(0b100, 3), ...codes, 0, ...(isOdd ? [0, 0] : [0]), 0];
}

/** Returns whole bytes from bits, padded with 0. */
export function bytesOfBits(bits: Bits): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => {
    bytes[i >> 3] = (bytes[i >> 3] as number) | (bit << (i & 7));
  });
  return bytes;
}

/** Returns blocks without bytes that end so many bits behind a whole byte. */
function blocksUpTo(bit: number): Bits {
  const bits = bit % 2 === 1 ? [...emptyDynamic(true)] : [];
  while (bits.length % 8 !== bit) bits.push(...emptyFixed);
  return bits;
}

/** Returns a stream that begins with blocks without bytes of every kind. A stored block leads back to a whole byte. */
function behindEmptyBlocks(packed: Uint8Array): Uint8Array {
  const bits = [...emptyFixed, ...emptyDynamic(false), ...emptyFixed, ...emptyDynamic(true), ...bitsOf(0, 3)];
  return Buffer.concat([bytesOfBits(bits), Uint8Array.of(0, 0, 255, 255), packed]);
}

/** Fields of a member's header: extra, name, comment, checksum. */
const headers = fc.integer({ min: 0, max: 15 }).map((choice) => {
  const flags = ((choice & 7) << 2) | ((choice >> 3) << 1);
  const fields = [
    ...(flags & 4 ? [Buffer.from([5, 0]), Buffer.from('SGxyz')] : []),
    ...(flags & 8 ? [Buffer.from('a name\0')] : []),
    ...(flags & 16 ? [Buffer.from('a comment\0')] : []),
  ];
  const head = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255]), ...fields]);
  const check = Buffer.alloc(flags & 2 ? 2 : 0);
  if (flags & 2) check.writeUInt16LE(crc32(head) & 0xffff);
  return Buffer.concat([head, check]);
});

/** A gzip member, and what it holds. */
export const members = fc
  .record({ bytes: contents, encode: fc.oneof(encoders, flushing), header: headers, empty: fc.boolean() })
  .map(({ bytes, encode, header, empty }) => {
    const packed = encode(bytes);
    const tail = Buffer.alloc(8);
    tail.writeUInt32LE(crc32(bytes), 0);
    tail.writeUInt32LE(bytes.length, 4);
    const body = empty ? behindEmptyBlocks(packed) : packed;
    return { bytes, header: header.length, packed: Buffer.concat([header, body, tail]) };
  });

/**
 * Unpacks from a block to the end of its member, with the bytes before it as dictionary. Blocks without bytes stand in for what is
 * missing of the first byte, so that stored blocks keep their place.
 */
export function resumeAt(packed: Uint8Array, { bit }: GzipBlock, before: Uint8Array): Buffer {
  const from = Math.floor(bit / 8);
  const used = bit % 8;
  const lead = bytesOfBits(blocksUpTo(used));
  const rest = Buffer.from(packed.subarray(from));
  if (used > 0) rest[0] = ((rest[0] as number) & -(1 << used)) | (lead.at(-1) as number);
  const stream = Buffer.concat([used > 0 ? lead.subarray(0, -1) : lead, rest]);
  return inflateRawSync(stream, before.length === 0 ? {} : { dictionary: before.slice(-32_768) });
}
