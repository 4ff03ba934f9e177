import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { encode } from '../../src/codec/encode.ts';
import { createEncoderPool } from '../../src/codec/encoder-pool.ts';
import type { PackedEncoding } from '../../src/codec/encoding.ts';
import { InterleavedEncoder } from '../../src/codec/interleaved.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { streamOf } from '../../src/stream/collect.ts';

const never = new AbortController().signal;
const pool = createEncoderPool({ jobs: 2 });
afterAll(() => pool.close());

const encodings: readonly PackedEncoding[] = [
  { kind: 'none' },
  { kind: 'gzip', level: 1, engine: 'libdeflate' },
  { kind: 'gzip', level: 1, engine: 'zlib' },
  { kind: 'gzip', level: 1, engine: 'pako' },
  { kind: 'zstd', level: 1 },
];

/** Bytes that depend on a number and pack well. */
function sample(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * seed) % 251);
}

async function alone(bytes: Uint8Array, encoding: PackedEncoding): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of encode(streamOf(bytes), encoding, { signal: never, pool }))
    chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

/** Packs inputs in turns, piece by piece. Memory of a piece is written over once it has been added. */
async function interleaved(
  inputs: readonly { readonly bytes: Uint8Array; readonly expected: number }[],
  encoding: PackedEncoding,
  piece: number,
) {
  const packed = inputs.map((): Uint8Array[] => []);
  const take = async (stream: number, bytes: Uint8Array): Promise<void> => {
    packed[stream]?.push(bytes.slice());
  };
  const streams = inputs.map(({ expected }) => ({ encoding, expected }));
  const encoder = await InterleavedEncoder.open(streams, take, { pool, signal: never });
  try {
    const most = Math.max(0, ...inputs.map(({ bytes }) => bytes.length));
    for (let at = 0; at < most; at += piece) {
      for (const [i, { bytes }] of inputs.entries()) {
        const part = bytes.slice(at, at + piece);
        encoder.add(i, part);
        part.fill(0);
        if (encoder.isFull) await encoder.ready();
      }
    }
    const seals = await encoder.end();
    return { packed: packed.map((chunks) => Buffer.concat(chunks)), seals };
  } finally {
    encoder.close();
  }
}

const length = fc.oneof(
  fc.nat(3000),
  fc.constantFrom(262_144, 524_288, 1_048_575, 1_048_576, 1_048_577, 2_097_152),
);

test('streams that are packed in turns have the bytes that each has alone, whatever length was expected', async () => {
  const cases = fc.record({
    inputs: fc.array(fc.record({ length, expected: length }), { minLength: 1, maxLength: 4 }),
    encoding: fc.constantFrom(...encodings),
    piece: fc.constantFrom(999, 65_536, 700_000),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ inputs, encoding, piece }) => {
      const given = inputs.map((input, i) => ({
        bytes: sample(input.length, i + 3),
        expected: input.expected,
      }));
      const { packed, seals } = await interleaved(given, encoding, piece);
      for (const [i, { bytes }] of given.entries()) {
        expect(seals[i]).toEqual({ digest: digestOf(bytes), size: bytes.length });
        expect(Buffer.compare(packed[i] as Uint8Array, await alone(bytes, encoding))).toBe(0);
      }
    }),
    { numRuns: 25 },
  );
});

test('an error of the receiver ends the work', async () => {
  const streams = [{ encoding: { kind: 'none' } as const, expected: 10 }];
  const take = () => Promise.reject(new Error('full'));
  const encoder = await InterleavedEncoder.open(streams, take, { pool, signal: never });
  encoder.add(0, sample(10, 3));
  await expect(encoder.end()).rejects.toThrow('full');
  encoder.close();
});
