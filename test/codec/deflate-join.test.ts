import { constants, crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combineCrc } from '../../src/codec/crc-combine.ts';
import { leaveOpen } from '../../src/codec/deflate-join.ts';
import { findLastBlock } from '../../src/codec/deflate-scan.ts';
import { OcislimError } from '../../src/errors.ts';
import { contents, encoders } from '../support/deflate-streams.ts';

/** Inflates a stream and says how many bytes of it were used; null where zlib refuses it. */
function inflate(packed: Uint8Array): { readonly bytes: Buffer; readonly used: number } | null {
  try {
    const { buffer, engine } = inflateRawSync(packed, { info: true }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return { bytes: buffer, used: engine.bytesWritten };
  } catch {
    return null;
  }
}

/** Where the scanner sees the end, in bytes; null where it refuses the stream. */
function scan(packed: Uint8Array): number | null {
  try {
    return Math.ceil(findLastBlock(packed).end / 8);
  } catch (error) {
    expect(error).toBeInstanceOf(OcislimError);
    expect(error).toMatchObject({ code: 'CODEC' });
    return null;
  }
}

const { Z_FIXED } = constants;

describe('streams of deflate', () => {
  test('that were packed apart become one when all but the last are left open', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(contents, encoders), { minLength: 1, maxLength: 4 }), (parts) => {
        const packed = parts.map(([bytes, pack]) => pack(bytes));
        const joined = Buffer.concat(
          packed.map((stream, i) => (i < packed.length - 1 ? leaveOpen(stream) : stream)),
        );
        const read = inflate(joined);
        expect(read?.used).toBe(joined.length);
        expect(read?.bytes.equals(Buffer.concat(parts.map(([bytes]) => bytes)))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('grow by at most five bytes when they are left open, and bytes behind them are ignored', () => {
    fc.assert(
      fc.property(contents, encoders, fc.uint8Array({ maxLength: 20 }), (bytes, pack, stray) => {
        const packed = pack(bytes);
        const open = leaveOpen(packed);
        expect(open.length - packed.length).toBeGreaterThanOrEqual(4);
        expect(open.length - packed.length).toBeLessThanOrEqual(5);
        expect(Buffer.from(leaveOpen(Buffer.concat([packed, stray]))).equals(open)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test('that are cut anywhere are refused', () => {
    const packed = deflateRawSync(Buffer.from('some words, some more words, and some words again'.repeat(3)));
    const stored = deflateRawSync(Buffer.alloc(300, 'stored'), { level: 0 });
    const fixed = deflateRawSync(Buffer.from('fixed fixed'), { strategy: Z_FIXED });
    for (const stream of [packed, stored, fixed])
      for (let size = 0; size < stream.length; size++) expect(scan(stream.subarray(0, size))).toBeNull();
  });

  test('that zlib reads end where zlib says, whatever bits are changed', () => {
    let read = 0;
    fc.assert(
      fc.property(
        contents,
        encoders,
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7)), { maxLength: 3 }),
        (bytes, pack, flips) => {
          const packed = Uint8Array.from(pack(bytes.subarray(0, 2000)));
          for (const [where, bit] of flips) {
            const at = Math.min(packed.length - 1, Math.floor(where * where * packed.length));
            packed[at] = (packed[at] as number) ^ (1 << bit);
          }
          const expected = inflate(packed);
          if (expected === null) return void scan(packed);
          read++;
          expect(scan(packed)).toBe(expected.used);
        },
      ),
      { numRuns: 600 },
    );
    expect(read).toBeGreaterThan(100);
  });

  test.each([
    ['an unknown type of block', [0x07]],
    ['a stored block whose length is damaged', [0x01, 0x01, 0x00, 0x00, 0x00, 0x41]],
    ['too many codes', [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a length symbol that does not exist', [0x1b, 0x03, 0x00]],
    ['no bytes at all', []],
  ])('with %s are refused', (_, bytes) => {
    expect(inflate(Uint8Array.from(bytes))).toBeNull();
    expect(scan(Uint8Array.from(bytes))).toBeNull();
  });
});

test('checksums of pieces combine to that of the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 6 }), (pieces) => {
      const combined = pieces.reduce((sum, piece) => combineCrc(sum, crc32(piece), piece.length), 0);
      expect(combined).toBe(crc32(Buffer.concat(pieces)));
    }),
  );
  const million = new Uint8Array(1_048_576).fill(7);
  const twice = combineCrc(crc32(million), crc32(million), million.length);
  expect(twice).toBe(crc32(Buffer.concat([million, million])));
});
