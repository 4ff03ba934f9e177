/**
 * Generates the stages of a plan, and the ranges and encodings that they need. The laws about whole plans combine them
 * with generated images.
 */
import fc from 'fast-check';
import type { PackedEncoding } from '../../src/codec/encoding.ts';
import { recompress } from '../../src/compress/recompress.ts';
import { repackBetter } from '../../src/compress/repack.ts';
import { tune, type TuneOptions } from '../../src/compress/tune.ts';
import type { MinSavings, Transform } from '../../src/image/image.ts';
import type { Selection } from '../../src/image/selection.ts';
import { arrange } from '../../src/slim/arrange.ts';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';

/** A range of layers for an image of any size: two numbers, each taken modulo the number of layers. */
export type Span = readonly [number, number];

export const span: fc.Arbitrary<Span> = fc.tuple(fc.nat({ max: 1000 }), fc.nat({ max: 1000 }));

export function selectionOf([a, b]: Span, count: number): Selection {
  const from = (Math.min(a, b) % count) + 1;
  const to = (Math.max(a, b) % count) + 1;
  return { kind: 'range', from: Math.min(from, to), to: Math.max(from, to) };
}

/** Every format and engine, without the slowest levels. */
export const encoding: fc.Arbitrary<PackedEncoding> = fc.oneof(
  fc.constant({ kind: 'none' } as const),
  fc.record({
    kind: fc.constant('gzip' as const),
    level: fc.integer({ min: 1, max: 12 }),
    engine: fc.constant('libdeflate' as const),
  }),
  fc.record({
    kind: fc.constant('gzip' as const),
    level: fc.integer({ min: 1, max: 9 }),
    engine: fc.constantFrom('zlib' as const, 'pako' as const),
  }),
  fc.record({ kind: fc.constant('zstd' as const), level: fc.integer({ min: 1, max: 19 }) }),
);

const minSavings: fc.Arbitrary<MinSavings | null> = fc.oneof(
  fc.constant(null),
  fc.record({ kind: fc.constant('bytes' as const), bytes: fc.integer({ min: 0, max: 2000 }) }),
  fc.record({ kind: fc.constant('ratio' as const), ratio: fc.double({ min: 0, max: 1, noNaN: true }) }),
);

/** A stage for images of any number of layers. */
export type Stage = (count: number) => Transform;

const globs = fc.array(fc.constantFrom('a', 'b/**', '**/c', '!a/b', '*', 'd/*'), { maxLength: 3 });

export const slimStage: fc.Arbitrary<Stage> = fc.oneof(
  span.map(
    (range): Stage =>
      (count) =>
        squash(selectionOf(range, count)),
  ),
  fc
    .record({ range: span, texts: globs, shadowed: fc.boolean(), keep: globs })
    .map(({ range, texts, shadowed, keep }): Stage => {
      const rules = texts.map((text) => parseRule(text, '--rule'));
      return (count) =>
        prune(selectionOf(range, count), {
          rules,
          shadowed,
          keep: keep.filter((glob) => !glob.startsWith('!')),
        });
    }),
  fc
    .record({
      range: span,
      order: fc.constantFrom('similar' as const, null),
      hardlinks: fc.boolean(),
      always: fc.boolean(),
    })
    .map(
      ({ range, ...options }): Stage =>
        (count) =>
          arrange(selectionOf(range, count), options),
    ),
);

/** Only a budget that is never exhausted: any other would make the result depend on the machine. */
export const tuning: fc.Arbitrary<TuneOptions> = fc.record({
  goal: fc.oneof(
    fc.record({
      kind: fc.constant('size' as const),
      effort: fc.constantFrom('fast' as const, 'balanced' as const, 'small' as const),
    }),
    fc.record({
      kind: fc.constant('pull' as const),
      bytesPerSecond: fc.constantFrom(1e5, 12_500_000, 1e9, 1e12),
    }),
  ),
  budget: fc.constantFrom(null, 1e6),
  format: fc.constantFrom(null, 'gzip' as const, 'zstd' as const),
  engine: fc.constantFrom('libdeflate' as const, 'zlib' as const),
  minSavings,
});

export const compressStage: fc.Arbitrary<Stage> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(span, encoding, minSavings).map(
      ([range, wish, savings]): Stage =>
        (count) =>
          recompress(selectionOf(range, count), wish, savings),
    ),
  },
  {
    weight: 1,
    arbitrary: span.map(
      (range): Stage =>
        (count) =>
          repackBetter(selectionOf(range, count)),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(span, tuning).map(
      ([range, options]): Stage =>
        (count) =>
          tune(selectionOf(range, count), options),
    ),
  },
);
