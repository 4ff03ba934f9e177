import { describe, expect, test } from 'vitest';
import { pairedOf, sampleOf } from './extent.ts';
import { extentOf } from './extent-setup.ts';

const day = 86_400_000;

describe('the extent of a run', () => {
  test('is a sample with a fresh seed, unless the environment says otherwise', () => {
    expect(extentOf({}, 20_421.5 * day, 0.25)).toEqual({ isWhole: false, seed: 204_212_500, turn: 20_421 });
    expect(extentOf({ OCISLIM_TESTS: '', OCISLIM_SEED: '' }, 0, 0).isWhole).toBe(false);
    expect(extentOf({ OCISLIM_TESTS: 'all' }, 0, 0.5)).toEqual({ isWhole: true, seed: 5000, turn: 0 });
  });

  test('is repeated by its seed on any day', () => {
    const { seed, turn } = extentOf({}, 20_421 * day, 0.123);
    expect(extentOf({ OCISLIM_SEED: String(seed) }, 30_000 * day, 0.9)).toMatchObject({ seed, turn });
  });

  test.each(['ALL', 'none', '1'])('refuses OCISLIM_TESTS=%s', (value) => {
    expect(() => extentOf({ OCISLIM_TESTS: value }, 0, 0)).toThrow('expected "sample" or "all"');
  });

  test.each(['x', '-1', '1.5', '2147483648'])('refuses OCISLIM_SEED=%s', (value) => {
    expect(() => extentOf({ OCISLIM_SEED: value }, 0, 0)).toThrow('expected an integer');
  });
});

describe('a sample', () => {
  const extent = { isWhole: false, seed: 0, turn: 0 };

  test.each([
    [1, 7],
    [2, 7],
    [6, 7],
    [7, 7],
    [50, 7],
    [50, 3],
    [2, 3],
  ])('of %s cases in %s parts is never empty, and has taken all of them within a week', (count, parts) => {
    const cases = Array.from({ length: count }, (_, i) => i);
    for (const first of [0, 20_421]) {
      const week = Array.from({ length: 7 }, (_, i) =>
        sampleOf(cases, parts, { ...extent, turn: first + i }),
      );
      for (const taken of week) expect(taken.length).toBeGreaterThan(0);
      expect([...new Set(week.flat())].toSorted((a, b) => a - b)).toEqual(cases);
      expect(week.slice(0, Math.min(parts, count)).flat()).toHaveLength(count);
    }
  });

  test('is the whole table where everything is tested', () => {
    expect(sampleOf([1, 2, 3], 3, { ...extent, isWhole: true })).toEqual([1, 2, 3]);
  });

  test('of an empty table is an error', () => {
    expect(() => sampleOf([], 7, extent)).toThrow('tests nothing');
    expect(() => sampleOf([], 7, { ...extent, isWhole: true })).toThrow('tests nothing');
  });
});

describe('rows and columns', () => {
  const rows = ['squash', 'prune', 'recompress', 'slim'];
  const columns = 3;
  const pairsOn = (turn: number, isWhole = false) =>
    [0, 1, 2].flatMap((column) =>
      pairedOf(rows, column, columns, { isWhole, seed: 0, turn }).map((row) => `${row} × ${column}`),
    );

  test('are combined so that each row meets exactly one column, and each column some row', () => {
    for (const turn of [0, 1, 2, 20_421]) {
      const pairs = pairsOn(turn);
      expect(pairs.map((pair) => pair.split(' × ')[0] ?? '').toSorted()).toEqual(rows.toSorted());
      expect(new Set(pairs.map((pair) => pair.split(' × ')[1])).size).toBe(columns);
    }
  });

  test('have met in every combination after as many days as there are columns', () => {
    const pairs = [7, 8, 9].flatMap((turn) => pairsOn(turn));
    expect(new Set(pairs).size).toBe(rows.length * columns);
    expect(pairs).toHaveLength(rows.length * columns);
  });

  test('are combined in every way at once where everything is tested', () => {
    expect(pairsOn(0, true)).toHaveLength(rows.length * columns);
  });
});
