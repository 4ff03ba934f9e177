import { describe, expect, it } from 'vitest';
import { chunkah } from '../../bench/relayer/chunkah.ts';
import { readCollection } from '../../bench/relayer/series.ts';
import { bound, dockerfile, simulate, squashed, strategies } from '../../bench/relayer/simulate.ts';

const day = 86_400;
const text = [
  'series\tsmall\t20260101\t20260201\t20260301',
  'c\tdpkg:a\t0\taaa\t600',
  'c\tdpkg:b\t1\taab\t200\t300',
  'c\tpython:c\t2\t-ab\t100\t100',
  'c\tvolatile\t3\tabc\t100',
  'd\tdpkg:a\t20250101*\t20251201',
].join('\n');
const collection = readCollection(text);
const [series] = collection.series;
if (series === undefined) throw new Error('a collection without a series');

it('a collection has series, and the dates of changelogs', () => {
  expect(series.times.map((time) => new Date(time * 1000).toISOString().slice(0, 10))).toEqual([
    '2026-01-01',
    '2026-02-01',
    '2026-03-01',
  ]);
  expect(series.components[2]).toEqual({
    name: 'python:c',
    layer: 2,
    versions: [null, 0, 1],
    bytes: [100, 100],
  });
  expect(collection.dates.get('dpkg:a')?.map(({ release }) => release)).toEqual(['unstable', 'stable']);
});

describe('an update', () => {
  it('sends what changed at least, and everything of a squashed image', () => {
    expect(simulate(series, bound)).toEqual([200 / 1000, 500 / 1100]);
    expect(simulate(series, squashed)).toEqual([1, 1]);
  });

  it('of a Dockerfile sends the layers above the lowest change', () => {
    expect(dockerfile(series)).toEqual([200 / 1000, 500 / 1100]);
  });

  it.each(strategies(collection, 16))('sends no more with a layer for each component: $name', (strategy) => {
    expect(simulate(series, strategy)).toEqual(simulate(series, bound));
  });

  it.each(strategies(collection, 2))('sends at least what changed: $name', (strategy) => {
    simulate(series, strategy).forEach((share, at) => {
      expect(share).toBeGreaterThanOrEqual(simulate(series, bound)[at] ?? 1);
      expect(share).toBeLessThanOrEqual(1);
    });
  });
});

describe('the layers of chunkah', () => {
  const items = Array.from({ length: 100 }, (_, i) => ({
    name: `p${i}`,
    bytes: i === 7 ? 1_000_000 : 1000 + i,
    dates: [{ time: (i % 9) * 50 * day, release: null }],
  }));

  it('have each component once, and large ones alone', () => {
    const layers = chunkah(items, 16, 500 * day);
    expect(layers).toHaveLength(16);
    expect(layers.flat().toSorted()).toEqual(items.map(({ name }) => name).toSorted());
    expect(layers).toContainEqual(['p7']);
  });

  it('are one for each, where they suffice', () => {
    expect(chunkah(items, 100, 500 * day)).toHaveLength(100);
  });
});
