import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponent, median, pairedRatio, spread } from '../../bench/measure/statistics.ts';

const values = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1 });

describe('median', () => {
  it('is the middle one, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([10, 1, 2, 4])).toBe(3);
    expect(() => median([])).toThrow(RangeError);
  });

  it('has as many values below it as above', () => {
    fc.assert(
      fc.property(values, (all) => {
        const middle = median(all);
        expect(all.filter((value) => value < middle).length).toBeLessThanOrEqual(all.length / 2);
        expect(all.filter((value) => value > middle).length).toBeLessThanOrEqual(all.length / 2);
      }),
    );
  });

  it('lies between the least and the most', () => {
    expect(spread([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9 });
  });
});

describe('pairedRatio', () => {
  it('compares rounds, not medians', () => {
    // The second round was disturbed, for both.
    expect(pairedRatio([2, 20, 4], [1, 10, 1])).toEqual({ median: 2, min: 2, max: 4 });
  });

  it('looks at rounds that both have', () => {
    expect(pairedRatio([2, 8], [1, 2, 100])).toEqual({ median: 3, min: 2, max: 4 });
    expect(pairedRatio([2, 8, 5], [1])).toEqual({ median: 2, min: 2, max: 2 });
    expect(pairedRatio([], [1])).toBeNull();
  });

  it('is one for the same', () => {
    fc.assert(
      fc.property(values, (all) => {
        expect(pairedRatio(all, all)).toEqual({ median: 1, min: 1, max: 1 });
      }),
    );
  });
});

describe('exponent', () => {
  it('is that of a power', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), (b) => {
        const points = [1, 10, 200, 5000].map((x) => ({ x, y: 7 * x ** b }));
        expect(exponent(points)).toBeCloseTo(b, 6);
      }),
    );
  });

  it('needs two different sizes', () => {
    expect(exponent([])).toBeNull();
    expect(exponent([{ x: 2, y: 3 }])).toBeNull();
  });
});
