import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode } from '../../src/codec/decode.ts';
import { encode } from '../../src/codec/encode.ts';
import { createEncoderPool } from '../../src/codec/encoder-pool.ts';
import { ZstdFrameScanner } from '../../src/codec/zstd-frame.ts';
import { OcislimError } from '../../src/errors.ts';
import type { Compression } from '../../src/oci/media-type.ts';
import { MiB } from '../../src/units.ts';

const { signal } = new AbortController();
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const pack = { gzip: gzipSync, zstd: zstdCompressSync } as const;

async function* inChunks(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unpack(
  bytes: Uint8Array,
  compression: Compression,
  size = 1 << 16,
  maxBytes?: number,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const options = maxBytes === undefined ? { signal } : { signal, maxBytes };
  for await (const chunk of decode(inChunks(bytes, size), compression, options)) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

/** Returns the code of the error that decoding throws; 'whole' for no error. */
async function fate(bytes: Uint8Array, compression: Compression): Promise<string> {
  try {
    await unpack(bytes, compression);
    return 'whole';
  } catch (error) {
    return error instanceof OcislimError ? error.code : String(error);
  }
}

describe.each(['gzip', 'zstd'] as const)('decoding %s', (compression) => {
  test('all members or frames come back, in chunks of any size', async () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 2000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(parts, fc.integer({ min: 1, max: 700 }), async (bodies, size) => {
        const packed = Buffer.concat(bodies.map((body) => pack[compression](body)));
        expect(await unpack(packed, compression, size)).toEqual(Buffer.concat(bodies));
      }),
      { numRuns: 60 },
    );
  });

  test('a stream cut off anywhere inside a member or frame is damaged', async () => {
    const one = pack[compression](Buffer.from('the first part, '.repeat(20)));
    const two = pack[compression](Buffer.from('the second part'.repeat(20)));
    const whole = Buffer.concat([one, two]);
    for (let length = 0; length < whole.length; length++) {
      const expected = length === one.length ? 'whole' : 'CODEC';
      expect(await fate(whole.subarray(0, length), compression), `${length} bytes`).toBe(expected);
    }
  });

  test('a changed byte is damage, or changes nothing', async () => {
    const body = Buffer.from('some words that are packed. '.repeat(10));
    const packed =
      compression === 'zstd' ? Buffer.from(pack.zstd(body, { params: { 201: 1 } })) : pack.gzip(body);
    for (let at = 0; at < packed.length; at++) {
      const altered = Buffer.from(packed);
      altered[at] = (altered[at] as number) ^ 0x10;
      if ((await fate(altered, compression)) === 'whole')
        expect(await unpack(altered, compression), `byte ${at}`).toEqual(body);
    }
  });

  test('bytes behind the last member or frame are damage', async () => {
    const packed = pack[compression](Buffer.from('body'));
    expect(await fate(Buffer.concat([packed, Buffer.from('stray bytes')]), compression)).toBe('CODEC');
  });

  test('decoding stops at the limit of unpacked bytes', async () => {
    const packed = pack[compression](Buffer.alloc(1_000_000));
    expect(await unpack(packed, compression, 100, 1_000_000)).toHaveLength(1_000_000);
    await expect(unpack(packed, compression, 100, 999_999)).rejects.toMatchObject({ code: 'LIMIT' });
  });
});

test('skippable frames of zstd are skipped before, between and after frames', async () => {
  const [one, two] = [Buffer.from('one'), Buffer.from('two')];
  const packed = [skippable, zstdCompressSync(one), skippable, skippable, zstdCompressSync(two), skippable];
  for (const size of [1, 7, 1000])
    expect(String(await unpack(Buffer.concat(packed), 'zstd', size))).toBe('onetwo');
});

test.each([19, 20, 22])('zstd level %i stays within a window of 8 MiB', async (level) => {
  const pool = createEncoderPool({ jobs: 1 });
  try {
    const body = Buffer.alloc(20 * MiB, 'a long text that says little ');
    const chunks: Uint8Array[] = [];
    for await (const chunk of encode(inChunks(body, MiB), { kind: 'zstd', level }, { signal, pool }))
      chunks.push(chunk.slice());
    const packed = Buffer.concat(chunks);
    const scanner = new ZstdFrameScanner();
    scanner.push(packed, 0);
    expect(scanner.header).toMatchObject({ kind: 'frame' });
    if (scanner.header?.kind === 'frame') expect(scanner.header.windowSize).toBeLessThanOrEqual(8 * MiB);
    expect((await unpack(packed, 'zstd')).equals(body)).toBe(true);
  } finally {
    await pool.close();
  }
});
