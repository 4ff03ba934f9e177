import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedOf, groupAdjacent, type Mergeable } from '../../src/slim/adjacent-groups.ts';

/** Layers whose changes never fall, with sizes and steps that are often equal. */
const stacks = fc
  .array(fc.record({ size: fc.nat({ max: 20 }), step: fc.nat({ max: 3 }) }), { minLength: 1, maxLength: 11 })
  .map((rows) => {
    let change = 0;
    return rows.map(({ size, step }): Mergeable => ({ size, change: (change += step) }));
  });

/** Returns all ways to divide so many layers into at most `count` groups. */
function partitions(length: number, count: number): number[][] {
  const found: number[][] = [];
  for (let cuts = 0; cuts < 2 ** (length - 1); cuts++) {
    const starts = [0, ...Array.from({ length: length - 1 }, (_, i) => i + 1)].filter(
      (start) => start === 0 || ((cuts >> (start - 1)) & 1) === 1,
    );
    if (starts.length <= count) found.push(starts);
  }
  return found;
}

describe('layers in few groups', () => {
  test('cost as little as in the best of all partitions', () => {
    fc.assert(
      fc.property(stacks, fc.integer({ min: 1, max: 11 }), (layers, count) => {
        const best = Math.min(
          ...partitions(layers.length, count).map((starts) => expectedOf(layers, starts)),
        );
        const starts = groupAdjacent(layers, count);
        expect(expectedOf(layers, starts)).toBe(best);
        expect(starts).toHaveLength(Math.min(count, layers.length));
      }),
      { numRuns: 300 },
    );
  });

  test('begin in order, the first with the lowest layer', () => {
    fc.assert(
      fc.property(stacks, fc.integer({ min: 1, max: 11 }), (layers, count) => {
        const starts = groupAdjacent(layers, count);
        expect(starts[0]).toBe(0);
        expect([...new Set(starts)].sort((a, b) => a - b)).toEqual(starts);
      }),
    );
  });

  test('of equal partitions, the one that leaves the lower layers alone', () => {
    const layers = Array.from({ length: 6 }, () => ({ size: 1, change: 0.5 }));
    expect(groupAdjacent(layers, 4)).toEqual([0, 1, 2, 3]);
  });

  test('of a stack with thousands of layers are found in steps', () => {
    const layers = Array.from({ length: 5000 }, (_, i) => ({ size: (i * 7919) % 1000, change: i / 5000 }));
    const starts = groupAdjacent(layers, 127);
    expect(starts).toHaveLength(127);
    const equal = Array.from({ length: 127 }, (_, i) => Math.floor((i * 5000) / 127));
    expect(expectedOf(layers, starts)).toBeLessThan(expectedOf(layers, equal));
  });
});
