import { afterAll, expect, test } from 'vitest';
import { encode } from '../../src/codec/encode.ts';
import { createEncoderPool } from '../../src/codec/encoder-pool.ts';
import { tryEncoding } from '../../src/codec/trial.ts';

const pool = createEncoderPool({ jobs: 2 });
const { signal } = new AbortController();
afterAll(() => pool.close());

function shared(length: number): Uint8Array<SharedArrayBuffer> {
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 7) * (i >> 9)) % 61;
  return bytes;
}

async function* once(bytes: Uint8Array) {
  yield bytes;
}

const encodings = [
  { kind: 'gzip', level: 3, engine: 'libdeflate' },
  { kind: 'gzip', level: 3, engine: 'zlib' },
  { kind: 'gzip', level: 3, engine: 'pako' },
  { kind: 'zstd', level: 3 },
] as const;

test.each(encodings)('a trial finds the size that the encoder writes: %j', async (encoding) => {
  for (const length of [0, 1, 100_000, 2_500_000]) {
    const bytes = shared(length);
    let output = 0;
    for await (const chunk of encode(once(bytes), encoding, { pool, signal })) output += chunk.length;
    const trial = await tryEncoding([bytes], encoding, { pool, signal });
    expect(trial).toMatchObject({ input: length, output });
    expect(trial.seconds).toBeGreaterThan(0);
  }
});

test('several pieces are added up', async () => {
  const [zstd] = encodings.slice(-1);
  if (zstd === undefined) throw new Error('no encoding of zstd');
  const one = await tryEncoding([shared(5000)], zstd, { pool, signal });
  const two = await tryEncoding([shared(5000), shared(5000)], zstd, { pool, signal });
  expect(two).toMatchObject({ input: 10_000, output: 2 * one.output });
});

test('an abort ends a trial', async () => {
  await expect(
    tryEncoding(
      [shared(5000)],
      { kind: 'zstd', level: 3 },
      { pool, signal: AbortSignal.abort(new Error('enough')) },
    ),
  ).rejects.toThrow('enough');
});
