import { afterAll, describe, expect, test } from 'vitest';
import { describeEncoder } from '../../src/codec/describe-encoder.ts';
import { detect } from '../../src/codec/detect.ts';
import { encode } from '../../src/codec/encode.ts';
import { createEncoderPool } from '../../src/codec/encoder-pool.ts';
import {
  caveatOf,
  defaultEngine,
  encodingWith,
  engineNames,
  formatNames,
  highestLevel,
  levelRanges,
  levelRangesByEngine,
  levelsOf,
  type PackedEncoding,
  packedFormats,
  plainEncoding,
  usualEncoding,
  validateEncoding,
} from '../../src/codec/encoding.ts';
import { formats } from '../../src/codec/formats.ts';
import { compressions } from '../../src/oci/media-type.ts';

const pool = createEncoderPool({ jobs: 1 });
const { signal } = new AbortController();
afterAll(() => pool.close());

async function start(encoding: PackedEncoding): Promise<Uint8Array> {
  async function* body() {
    yield new Uint8Array(1000);
  }
  for await (const chunk of encode(body(), encoding, { pool, signal })) return chunk;
  return new Uint8Array(0);
}

describe('the table of formats', () => {
  test('has a row for each compression with a media type', () => {
    expect(formatNames.toSorted()).toEqual(compressions.toSorted());
  });

  test.each(formatNames)('has the mark by which the output for %s is detected', async (format) => {
    expect(detect(await start(usualEncoding(format)))).toBe(format);
  });

  test.each(packedFormats)('has levels for %s within the range of each engine', (format) => {
    for (const engine of engineNames(format)) {
      const { highest, usual, byEffort, ladder } = levelsOf(format, { [format]: engine });
      const levels = [usual, ...Object.values(byEffort), ...ladder];
      expect(levels.every((level) => level >= 1 && level <= highest)).toBe(true);
      expect(ladder.toSorted((a, b) => a - b)).toEqual(ladder);
      expect(highest).toBeLessThanOrEqual(highestLevel);
    }
  });

  test.each(packedFormats)('describes the encoders of %s', (format) => {
    for (const engine of engineNames(format)) {
      const encoding = encodingWith(format, { engines: { [format]: engine } });
      expect(describeEncoder(encoding)).toEqual({
        name: engine === 'libdeflate' ? 'libdeflate-joined' : engine,
        version: expect.stringMatching(/^\d+\.\d+/) as string,
        level: levelsOf(format).usual,
        blockSize: engine === 'pako' ? null : expect.any(Number),
      });
    }
  });
});

describe('choosing an encoding', () => {
  test('takes the usual level and the default engine unless told', () => {
    expect(encodingWith('gzip')).toEqual({ kind: 'gzip', level: 6, engine: defaultEngine('gzip') });
    expect(encodingWith('zstd', { engines: { gzip: 'zlib' } })).toEqual({ kind: 'zstd', level: 3 });
    expect(encodingWith('gzip', { level: 9, engines: { gzip: 'pako' } })).toEqual({
      kind: 'gzip',
      level: 9,
      engine: 'pako',
    });
    expect(usualEncoding('none')).toEqual({ kind: 'none' });
  });

  test('drops other properties of an object', () => {
    for (const format of formatNames) {
      const encoding = usualEncoding(format);
      const planned = Object.assign({ minSavings: null }, encoding);
      expect(plainEncoding(planned)).toEqual(encoding);
    }
  });

  test('refuses an engine that the format does not have', () => {
    const engine = 'zopfli' as 'zlib';
    expect(() => validateEncoding({ kind: 'gzip', level: 6, engine })).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: 'gzip has no engine "zopfli"',
        advice: 'Use libdeflate, zlib or pako.',
      }),
    );
  });

  test('warns of the levels of zstd that keep to a smaller window than their own', () => {
    const warned = Array.from({ length: 22 }, (_, i) => i + 1).filter(
      (level) => caveatOf({ kind: 'zstd', level })?.code === 'WINDOW_CAPPED',
    );
    expect(warned).toEqual([20, 21, 22]);
    expect(caveatOf({ kind: 'none' })).toBeNull();
  });
});

test('the levels are written for help texts', () => {
  expect(levelRanges()).toBe('gzip 1–12, zstd 1–22');
  expect(levelRangesByEngine()).toBe('gzip 1–12 (zlib and pako 1–9), zstd 1–22');
});

test.each([
  [[], 'empty'],
  [[0x1f], 'none'],
  [[0x1f, 0x8b], 'gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x5f, 0x2a, 0x4d, 0x18, 1], 'zstd'],
  [[0x60, 0x2a, 0x4d, 0x18], 'none'],
] as const)('a stream that starts with %j is detected as %s', (bytes, format) => {
  expect(detect(new Uint8Array(bytes))).toBe(format);
});

test('every row has its own mark', () => {
  const marks = Object.values(formats).map(({ magic }) => String(magic));
  expect(new Set(marks).size).toBe(marks.length);
});
