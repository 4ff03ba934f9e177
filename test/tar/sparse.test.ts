import { expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { checkPieces, SparseMapReader } from '../../src/tar/sparse.ts';
import { bytesOf, concat } from '../support/model/byte-string.ts';
import { padded } from '../support/model/tar-bytes.ts';

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof OcislimError) return error.code;
    throw error;
  }
  return 'none';
}

/** Feeds it in chunks of that size; how many bytes it took. */
function feed(map: SparseMapReader, bytes: Uint8Array, size: number): number {
  let taken = 0;
  while (!map.ended && taken < bytes.length) taken += map.take(bytes.subarray(taken, taken + size));
  return taken;
}

test.each([1, 7, 511, 512, 513, 100_000])('a map in chunks of %d bytes ends with its padding', (size) => {
  for (const count of [0, 1, 2, 100, 200]) {
    const numbers = Array.from({ length: count }, (_, i) => [i * 100, 9]).flat();
    const text = padded(bytesOf([count, ...numbers].map((number) => `${number}\n`).join('')));
    const map = new SparseMapReader();
    expect(feed(map, concat([text, bytesOf('1\n2\nbody')]), size)).toBe(text.length);
    expect(map.ended).toBe(true);
    expect(map.pieces()).toEqual(Array.from({ length: count }, (_, i) => ({ offset: i * 100, length: 9 })));
  }
});

test('a map that fills whole blocks has no padding', () => {
  const text = bytesOf(`85\n${'10\n'.repeat(169)}1\n`);
  expect(text.length).toBe(512);
  const map = new SparseMapReader();
  expect(feed(map, concat([text, bytesOf('body')]), 600)).toBe(512);
  expect(map.pieces()).toHaveLength(85);
});

test('a malformed map is refused', () => {
  for (const text of ['x\n', '-1\n', '\n', '1\n2\n3.5\n', '9'.repeat(30), '9007199254740993\n']) {
    expect(
      codeOf(() => feed(new SparseMapReader(), bytesOf(text), 5)),
      text,
    ).toBe('TAR_INVALID');
  }
});

test('a map longer than a mebibyte is refused', () => {
  const endless = bytesOf(`9000000\n${'1\n'.repeat(600_000)}`);
  expect(codeOf(() => feed(new SparseMapReader(), endless, 4096))).toBe('LIMIT');
});

test('pieces must be in order, within the file, and as long as what is stored', () => {
  const pieces = [
    { offset: 0, length: 3 },
    { offset: 5, length: 5 },
  ];
  expect(codeOf(() => checkPieces(pieces, 10, 8))).toBe('none');
  expect(codeOf(() => checkPieces(pieces, 9, 8))).toBe('TAR_INVALID');
  expect(codeOf(() => checkPieces(pieces, 10, 7))).toBe('TAR_INVALID');
  expect(codeOf(() => checkPieces([...pieces].reverse(), 10, 8))).toBe('TAR_INVALID');
  expect(
    codeOf(() =>
      checkPieces(
        [
          { offset: 0, length: 3 },
          { offset: 2, length: 5 },
        ],
        10,
        8,
      ),
    ),
  ).toBe('TAR_INVALID');
  expect(codeOf(() => checkPieces([{ offset: 4, length: 0 }], 4, 0))).toBe('none');
  expect(codeOf(() => checkPieces([{ offset: 0, length: -1 }], 4, -1))).toBe('TAR_INVALID');
});
