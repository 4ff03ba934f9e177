import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode85, encode85 } from '../../../src/report/page/packed/base85.ts';
import type { FileTable } from '../../../src/report/page/packed/file-table.ts';
import { packSteps } from '../../../src/report/page/packed/pack.ts';
import { exactRows, rounded } from '../../../src/report/page/packed/sizes.ts';
import { unpack } from '../../../src/report/page/packed/unpack.ts';
import { atOnce } from '../../../src/steps.ts';
import { runs } from '../../support/extent.ts';
import { type MadeRow, tableOf } from './made-table.ts';

/** Names with what makes them hard to front-code: shared beginnings, several bytes a character, surrogate pairs. */
const name = fc.oneof(
  fc.constantFrom('lib', 'lib64', 'libc.so.6', 'libc.so', 'ä', 'äb', '😀', '😁', '😀😁', '</script>', '…'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => !/[\n/]/.test(text)),
);
const row: fc.Arbitrary<MadeRow> = fc.record({
  path: fc.array(name, { maxLength: 6 }),
  size: fc.oneof(fc.nat(300), fc.maxSafeNat()),
  layer: fc.integer({ min: 1, max: 200 }),
  fate: fc.nat(1000),
  kind: fc.nat(4),
});

const packed = (table: FileTable): Uint8Array => atOnce(packSteps(table));

describe('packed files', () => {
  test('are what they were before', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const table = tableOf(rows);
        expect(unpack(packed(table))).toEqual(table);
      }),
      { numRuns: runs(150, 2000) },
    );
  });

  test('have no file at all in an image without any', () => {
    const table = tableOf([]);
    expect(unpack(packed(table))).toEqual(table);
  });

  test('have rounded sizes in long lists, and nothing else changes', () => {
    const sizes = [0, 1, 63, 64, 65, 1000, 123_456, 524_287, 524_288, 5_000_001];
    const rows = Array.from({ length: exactRows + 1 }, (_, i) => ({
      path: ['usr', `file${i}`],
      size: sizes[i % sizes.length] as number,
      layer: 1,
      fate: 0,
      kind: 0,
    }));
    const table = tableOf(rows);
    expect(unpack(packed(table))).toEqual({ ...table, sizes: table.sizes.map(rounded) });
  });
});

describe('rounded sizes', () => {
  test('are off by 1.6 % at most, and exact from 512 KiB on', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(2 ** 20), fc.maxSafeNat()), (size) => {
        const error = Math.abs(rounded(size) - size);
        expect(error).toBeLessThanOrEqual(size >= 2 ** 19 ? 0 : size * 0.016);
      }),
    );
  });
});

describe('base 85', () => {
  const text = (bytes: Uint8Array) => [...encode85(bytes)].join('');

  test('gives back the bytes, of any number', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        expect(decode85(text(bytes))).toEqual(Uint8Array.from(bytes));
      }),
    );
  });

  test('joins its pieces without a gap', () => {
    const bytes = Uint8Array.from({ length: 100_001 }, (_, i) => (i * i) % 251);
    expect([...encode85(bytes)].length).toBeGreaterThan(1);
    expect(decode85(text(bytes))).toEqual(bytes);
  });

  test('has no character that HTML or a script gives a meaning', () => {
    const all = text(Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7919) >> 3));
    expect(all).not.toMatch(/[<&"'\\\s]/);
    expect(new Set(all).size).toBe(85);
  });
});
