import {
  type BlockEncoding,
  type EngineChoice,
  encodingWith,
  levelsOf,
  type PackedFormat,
} from '../codec/encoding.ts';
import type { Effort } from '../image/image.ts';

/** Returns the encoding of a format for an effort. */
export function encodingFor(format: PackedFormat, engines: EngineChoice, effort: Effort): BlockEncoding {
  return encodingWith(format, { level: levelsOf(format, engines).byEffort[effort], engines });
}

/** Encodings of one format, the cheapest first. */
export type Ladder = readonly [BlockEncoding, ...BlockEncoding[]];

/** Returns the encodings to try for a format: always the cheapest, then the levels worth trying, up to that of the effort if one is given. */
export function ladderOf(format: PackedFormat, engines: EngineChoice, upTo: Effort | null): Ladder {
  const { byEffort, ladder } = levelsOf(format, engines);
  const most = upTo === null ? Number.POSITIVE_INFINITY : byEffort[upTo];
  const [first, ...higher] = ladder;
  const at = (level: number) => encodingWith(format, { level, engines });
  return [at(first), ...higher.filter((level) => level <= most).map(at)];
}
