import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PackedEncoding } from '../../src/codec/encoding.ts';
import {
  allocate,
  chooseOption,
  costOf,
  type PackingOption,
  pullSeconds,
  type TunableLayer,
} from '../../src/compress/policy.ts';
import type { TuningGoal } from '../../src/image/image.ts';

const zstd = (level: number): PackedEncoding => ({ kind: 'zstd', level });
const gzip = (level: number): PackedEncoding => ({ kind: 'gzip', level, engine: 'libdeflate' });

function option(encoding: PackedEncoding, size: number, work: number | null = null): PackingOption {
  return { encoding, compression: encoding.kind, size, work, threads: 8 };
}

function asItIs(compression: 'gzip' | 'zstd' | 'none', size: number): PackingOption {
  return { encoding: null, compression, size, work: 0, threads: 1 };
}

/** Of both formats some levels, sizes and work in no order that makes sense. */
const layer: fc.Arbitrary<TunableLayer> = fc
  .record({
    tarBytes: fc.integer({ min: 1024, max: 1e9 }),
    stored: fc.option(fc.constantFrom('gzip' as const, 'zstd' as const, 'none' as const)),
    gzip: fc.integer({ min: 0, max: 4 }),
    zstd: fc.integer({ min: 0, max: 6 }),
    shares: fc.array(fc.double({ min: 0.01, max: 1.01, noNaN: true }), { minLength: 12, maxLength: 12 }),
    works: fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 12, maxLength: 12 }),
    threads: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ tarBytes, stored, gzip: gzips, zstd: zstds, shares, works, threads }) => {
    const size = (i: number) => Math.round(tarBytes * (shares[i] as number));
    const encodings = [
      ...Array.from({ length: gzips }, (_, i) => gzip(i + 1)),
      ...Array.from({ length: zstds }, (_, i) => zstd(i + 1)),
    ];
    return {
      tarBytes,
      options: [
        ...(stored === null ? [] : [asItIs(stored, stored === 'none' ? tarBytes : size(11))]),
        ...encodings.map((encoding, i) => ({
          ...option(encoding, size(i), works[i] as number),
          threads,
        })),
      ],
    };
  })
  .filter(({ options }) => options.length > 0);

const bandwidth = fc.double({ min: 1e3, max: 1e10, noNaN: true });
const goal: fc.Arbitrary<TuningGoal> = fc.oneof(
  fc.record({
    kind: fc.constant('size' as const),
    effort: fc.constantFrom('fast' as const, 'small' as const),
  }),
  bandwidth.map((bytesPerSecond) => ({ kind: 'pull' as const, bytesPerSecond })),
);

describe('laws', () => {
  test('the chosen option is as good as any other, within the half percent that goes to less work', () => {
    fc.assert(
      fc.property(layer, goal, (given, wanted) => {
        const chosen = costOf(chooseOption(given, wanted), given.tarBytes, wanted);
        for (const other of given.options)
          expect(chosen).toBeLessThanOrEqual((costOf(other, given.tarBytes, wanted) / 0.995) * (1 + 1e-9));
      }),
      { numRuns: 1000 },
    );
  });

  test('a lower bandwidth never gives a larger blob', () => {
    fc.assert(
      fc.property(layer, bandwidth, bandwidth, (given, a, b) => {
        const at = (bytesPerSecond: number) => chooseOption(given, { kind: 'pull', bytesPerSecond }).size;
        expect(at(Math.min(a, b))).toBeLessThanOrEqual(at(Math.max(a, b)));
      }),
      { numRuns: 1000 },
    );
  });

  const seconds = fc.double({ min: 0, max: 500, noNaN: true });
  const budget = fc.record({
    seconds,
    jobs: fc.integer({ min: 1, max: 64 }),
    overhead: fc.double({ min: 0, max: 20, noNaN: true }),
  });
  const layers = fc.array(layer, { minLength: 1, maxLength: 8 });

  test('the estimate stays within the budget, unless the least work exceeds it', () => {
    fc.assert(
      fc.property(layers, goal, budget, (given, wanted, limits) => {
        const least = allocate(given, wanted, { ...limits, seconds: 0 }).seconds;
        const spent = allocate(given, wanted, limits).seconds;
        expect(spent).toBeLessThanOrEqual(Math.max(limits.seconds, least));
      }),
      { numRuns: 1000 },
    );
  });

  test('the estimate is the time of the chosen options', () => {
    fc.assert(
      fc.property(layers, goal, budget, (given, wanted, limits) => {
        const { chosen, seconds: estimate } = allocate(given, wanted, limits);
        expect(chosen).toHaveLength(given.length);
        const work = chosen.reduce((sum, each) => sum + (each.work ?? 0), limits.overhead);
        const longest = chosen.map((each) => (each.work ?? 0) / Math.min(limits.jobs, each.threads));
        expect(estimate).toBeCloseTo(Math.max(work / limits.jobs, ...longest), 6);
      }),
    );
  });

  test('an unlimited budget chooses as no budget does', () => {
    fc.assert(
      fc.property(layers, goal, (given, wanted) => {
        const { chosen } = allocate(given, wanted, { seconds: 1e12, jobs: 2, overhead: 0 });
        given.forEach((each, i) => {
          const free = costOf(chooseOption(each, wanted), each.tarBytes, wanted);
          expect(costOf(chosen[i] as PackingOption, each.tarBytes, wanted)).toBeCloseTo(free, 6);
        });
      }),
      { numRuns: 1000 },
    );
  });

  test('no layer is larger with more time than with the least', () => {
    fc.assert(
      fc.property(layers, goal, budget, (given, wanted, limits) => {
        const least = allocate(given, wanted, { ...limits, seconds: 0 }).chosen;
        const { chosen } = allocate(given, wanted, limits);
        given.forEach(({ tarBytes }, i) => {
          expect(costOf(chosen[i] as PackingOption, tarBytes, wanted)).toBeLessThanOrEqual(
            costOf(least[i] as PackingOption, tarBytes, wanted),
          );
        });
      }),
    );
  });
});

describe('pull', () => {
  const tarBytes = 200e6;
  const given = (...options: PackingOption[]): TunableLayer => ({ tarBytes, options });
  const pull = (bytesPerSecond: number): TuningGoal => ({ kind: 'pull', bytesPerSecond });

  test('counts the transfer and the unpacking', () => {
    expect(pullSeconds(option(gzip(6), 70e6), 180e6, 10e6)).toBe(8);
    expect(pullSeconds(asItIs('none', 180e6), 180e6, 10e6)).toBe(18);
  });

  test('the bandwidth may change the format', () => {
    const both = given(option(gzip(9), 60e6), option(zstd(3), 65e6));
    expect(chooseOption(both, pull(1e6)).compression).toBe('gzip');
    expect(chooseOption(both, pull(100e6)).compression).toBe('zstd');
  });

  test('an uncompressed layer stays so on a fast line', () => {
    const plain = given(asItIs('none', tarBytes), option(zstd(3), 65e6));
    expect(chooseOption(plain, pull(10e6)).encoding).toEqual(zstd(3));
    expect(chooseOption(plain, pull(1e9)).encoding).toBeNull();
  });

  test('a saving below half a percent is not worth the next level', () => {
    expect(chooseOption(given(option(zstd(9), 60e6), option(zstd(19), 59.8e6)), pull(1e6)).encoding).toEqual(
      zstd(9),
    );
    expect(chooseOption(given(option(zstd(9), 60e6), option(zstd(19), 59.6e6)), pull(1e6)).encoding).toEqual(
      zstd(19),
    );
    expect(
      chooseOption(given(asItIs('zstd', 60e6), option(zstd(19), 59.8e6)), pull(1e6)).encoding,
    ).toBeNull();
  });
});

describe('a budget', () => {
  const size: TuningGoal = { kind: 'size', effort: 'small' };
  const large = {
    tarBytes: 100e6,
    options: [option(zstd(3), 40e6, 1), option(zstd(12), 36e6, 5), option(zstd(19), 33e6, 40)],
  };
  const small = {
    tarBytes: 10e6,
    options: [option(zstd(3), 4e6, 0.1), option(zstd(12), 2e6, 0.5), option(zstd(19), 1.9e6, 4)],
  };
  const levels = (seconds: number, jobs = 1) =>
    allocate([large, small], size, { seconds, jobs, overhead: 0 }).chosen.map(({ encoding }) =>
      encoding?.kind === 'zstd' ? encoding.level : 0,
    );

  test('is spent where a second saves most', () => {
    expect(levels(0)).toEqual([3, 3]);
    expect(levels(1.5)).toEqual([3, 12]);
    expect(levels(6)).toEqual([12, 12]);
    expect(levels(41)).toEqual([19, 12]);
    expect(levels(44)).toEqual([19, 19]);
  });

  test('buys more with more jobs', () => {
    expect(levels(12, 4)).toEqual([19, 19]);
  });

  test('counts a layer of one block as one job', () => {
    const one = { ...large, options: large.options.map((each) => ({ ...each, threads: 1 })) };
    const { chosen, seconds } = allocate([one], size, { seconds: 12, jobs: 4, overhead: 0 });
    expect(chosen[0]?.encoding).toEqual(zstd(12));
    expect(seconds).toBe(5);
  });

  test('is spent on another layer when a step of one takes too long', () => {
    expect(levels(10)).toEqual([12, 19]);
  });

  test('skips options that cost more and save less', () => {
    const odd = {
      tarBytes: 1e6,
      options: [option(zstd(3), 100, 1), option(zstd(6), 120, 2), option(zstd(9), 50, 3)],
    };
    expect(allocate([odd], size, { seconds: 2.5, jobs: 1, overhead: 0 }).chosen[0]?.encoding).toEqual(
      zstd(3),
    );
    expect(allocate([odd], size, { seconds: 3, jobs: 1, overhead: 0 }).chosen[0]?.encoding).toEqual(zstd(9));
  });
});
