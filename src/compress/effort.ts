import type { BlockEncoding } from '../codec/encode.ts';
import type { GzipEngine } from '../codec/encoding.ts';
import type { Effort } from '../image/image.ts';

/** The two formats that have levels. */
export type PackedFormat = 'gzip' | 'zstd';

type Engine = GzipEngine | 'zstd';

/**
 * Measured on layers of real images (bench/README.md, "Packing"). `fast` is the fastest level that is still smaller than what
 * builders write; `balanced` is where more work begins to buy little; `small` is the last level that is worth its time.
 */
const levels: Record<Engine, Record<Effort, number>> = {
  libdeflate: { fast: 5, balanced: 9, small: 10 },
  zlib: { fast: 4, balanced: 6, small: 9 },
  pako: { fast: 4, balanced: 6, small: 9 },
  zstd: { fast: 3, balanced: 12, small: 19 },
};

/** The levels worth trying out, the cheapest first. The first says how a layer packs at all, so the lowest are none of them. */
const ladders: Record<Engine, readonly [number, ...number[]]> = {
  libdeflate: [3, 5, 9, 10],
  zlib: [4, 6, 9],
  pako: [4, 6, 9],
  zstd: [3, 6, 9, 12, 16, 19],
};

/** The encoding of a format for an effort. */
export function encodingFor(format: PackedFormat, engine: GzipEngine, effort: Effort): BlockEncoding {
  return at(format, engine, levels[engineOf(format, engine)][effort]);
}

/** Encodings of one format, the cheapest first. */
export type Ladder = readonly [BlockEncoding, ...BlockEncoding[]];

/** What is tried out for a format; with an effort, nothing beyond that but the cheapest. */
export function ladderOf(format: PackedFormat, engine: GzipEngine, upTo: Effort | null): Ladder {
  const name = engineOf(format, engine);
  const most = upTo === null ? Number.POSITIVE_INFINITY : levels[name][upTo];
  const [first, ...higher] = ladders[name];
  return [
    at(format, engine, first),
    ...higher.filter((level) => level <= most).map((level) => at(format, engine, level)),
  ];
}

function engineOf(format: PackedFormat, engine: GzipEngine): Engine {
  return format === 'zstd' ? 'zstd' : engine;
}

function at(format: PackedFormat, engine: GzipEngine, level: number): BlockEncoding {
  return format === 'zstd' ? { kind: 'zstd', level } : { kind: 'gzip', level, engine };
}
