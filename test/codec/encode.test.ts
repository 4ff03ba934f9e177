import { gunzipSync, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { decompress } from 'fzstd';
import { ungzip } from 'pako';
import { afterAll, describe, expect, test } from 'vitest';
import { decode } from '../../src/codec/decode.ts';
import { describeEncoder } from '../../src/codec/describe-encoder.ts';
import { encode } from '../../src/codec/encode.ts';
import { createEncoderPool, type EncoderPool } from '../../src/codec/encoder-pool.ts';
import { engineNames, type PackedEncoding } from '../../src/codec/encoding.ts';

const never = new AbortController().signal;
const pools = [1, 2, 4].map((jobs) => createEncoderPool({ jobs }));
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function pack(
  bytes: Uint8Array,
  encoding: PackedEncoding,
  pool = pools[1] as EncoderPool,
  sizes: readonly number[] = [65_536],
): Promise<Uint8Array> {
  return collect(encode(cut(bytes, sizes), encoding, { signal: never, pool }));
}

/** Text-like bytes from a seed, so that matches span blocks. */
function sample(length: number, seed = 1): Uint8Array {
  const words = Array.from({ length: 500 }, (_, i) => `${((i + seed) * 2_654_435_761) % 1_000_003} `);
  let state = seed;
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const word = words[(state >>> 16) % words.length] as string;
    for (let i = 0; i < word.length && at < length; i++) bytes[at++] = word.charCodeAt(i);
  }
  return bytes;
}

const encodings: readonly PackedEncoding[] = [
  { kind: 'none' },
  { kind: 'gzip', level: 1, engine: 'libdeflate' },
  { kind: 'gzip', level: 6, engine: 'libdeflate' },
  { kind: 'gzip', level: 12, engine: 'libdeflate' },
  { kind: 'gzip', level: 6, engine: 'zlib' },
  { kind: 'gzip', level: 9, engine: 'zlib' },
  { kind: 'gzip', level: 6, engine: 'pako' },
  { kind: 'zstd', level: 1 },
  { kind: 'zstd', level: 3 },
  { kind: 'zstd', level: 12 },
];

function nameOf(encoding: PackedEncoding): string {
  const { name, level } = describeEncoder(encoding);
  return level === null ? 'no engine' : `${name} at level ${level}`;
}

describe.each(encodings.map((encoding) => [nameOf(encoding), encoding] as const))(
  'packing by %s',
  (_, encoding) => {
    test.each([0, 1, 511, 1_048_576, 1_048_577, 3_500_000])('round-trips %d bytes', async (length) => {
      const bytes = sample(length);
      const packed = await pack(bytes, encoding);
      if (encoding.kind !== 'none')
        expect(
          Buffer.from(await collect(decode(cut(packed, [10_000]), encoding.kind, { signal: never }))).equals(
            bytes,
          ),
        ).toBe(true);
      // Other decoders agree.
      if (encoding.kind === 'gzip') {
        expect(gunzipSync(packed).equals(bytes)).toBe(true);
        expect(Buffer.from(ungzip(packed)).equals(bytes)).toBe(true);
      }
      if (encoding.kind === 'zstd') expect(Buffer.from(decompress(packed)).equals(bytes)).toBe(true);
    });

    test('the bytes depend neither on chunks nor on the number of jobs', async () => {
      const bytes = sample(1_500_000, 7);
      const expected = await pack(bytes, encoding, pools[0]);
      for (const pool of pools) {
        for (const sizes of [[512], [1_000_003], [1, 700_000, 3]])
          expect(Buffer.from(await pack(bytes, encoding, pool, sizes)).equals(expected)).toBe(true);
      }
    });
  },
);

test('any bytes in any chunks round-trip', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 5000 }),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(...encodings),
      async (bytes, sizes, encoding) => {
        const packed = await pack(bytes, encoding, pools[1], sizes);
        const unpacked = await collect(decode(cut(packed, sizes), encoding.kind, { signal: never }));
        expect(Buffer.from(unpacked).equals(bytes)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test.each(Array.from({ length: 22 }, (_, i) => i + 1))(
  'zstd level %d asks for a window of 8 MiB at most, and states sizes and checksums',
  async (level) => {
    const packed = await pack(sample(60_000), { kind: 'zstd', level });
    const descriptor = packed[4] as number;
    expect(descriptor & 0x04).toBe(0x04);
    // A single segment has its own size as its window; else the window byte tells (RFC 8878, 3.1.1.1.2).
    if ((descriptor & 0x20) === 0) expect(10 + ((packed[5] as number) >> 3)).toBeLessThanOrEqual(23);
    expect(zstdDecompressSync(packed).length).toBe(60_000);
  },
);

test.each(engineNames('gzip'))('%s writes one gzip member, however long the input is', async (engine) => {
  for (const length of [0, 1, 1_048_576, 1_048_577, 3_000_000]) {
    const packed = await pack(sample(length), { kind: 'gzip', level: 6, engine });
    // Behind the header of 10 bytes there is one deflate stream, and only the trailer behind that.
    const { buffer, engine: reader } = inflateRawSync(packed.subarray(10), { info: true }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    expect(reader.bytesWritten).toBe(packed.length - 18);
    expect(buffer.length).toBe(length);
  }
});

test('streams of different encodings that share a pool all finish', async () => {
  const pool = createEncoderPool({ jobs: 2 });
  const bytes = sample(3_000_000, 3);
  const results = await Promise.all([
    pack(bytes, { kind: 'zstd', level: 17 }, pool),
    pack(bytes, { kind: 'zstd', level: 2 }, pool),
    pack(bytes, { kind: 'gzip', level: 1, engine: 'libdeflate' }, pool),
    pack(sample(10), { kind: 'zstd', level: 22 }, pool),
    pack(bytes, { kind: 'gzip', level: 1, engine: 'zlib' }, pool),
  ]);
  expect(results.map((packed) => packed.length > 0)).toEqual([true, true, true, true, true]);
  await pool.close();
});

test('an error of the source ends the encoder, and the pool serves the next stream', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield sample(5_000_000);
    throw new Error('the source broke');
  }
  for (const encoding of encodings) {
    await expect(
      collect(encode(broken(), encoding, { signal: never, pool: pools[1] as EncoderPool })),
    ).rejects.toThrow('the source broke');
    const after = await pack(sample(1000), encoding);
    expect(after.length).toBeGreaterThan(0);
  }
});

test('a consumer that leaves early releases the source', async () => {
  let released = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield sample(100_000);
    } finally {
      released = true;
    }
  }
  for (const encoding of encodings) {
    released = false;
    for await (const _ of encode(endless(), encoding, { signal: never, pool: pools[1] as EncoderPool }))
      break;
    expect(released, JSON.stringify(encoding)).toBe(true);
  }
});

test('an abort ends every encoder', async () => {
  const controller = new AbortController();
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let i = 0; ; i++) {
      if (i === 50) controller.abort(new Error('enough'));
      yield sample(100_000);
    }
  }
  for (const encoding of encodings.slice(1)) {
    await expect(
      collect(encode(endless(), encoding, { signal: controller.signal, pool: pools[1] as EncoderPool })),
    ).rejects.toThrow('enough');
  }
});

test('levels that an engine does not have are refused', () => {
  for (const encoding of [
    { kind: 'zstd', level: 23 },
    { kind: 'gzip', level: 10, engine: 'zlib' },
    { kind: 'gzip', level: 13, engine: 'libdeflate' },
    { kind: 'gzip', level: 0, engine: 'pako' },
  ] as const) {
    expect(() =>
      encode(cut(new Uint8Array(1), [1]), encoding, { signal: never, pool: pools[0] as EncoderPool }),
    ).toThrow(/levels run from 1/);
  }
});
