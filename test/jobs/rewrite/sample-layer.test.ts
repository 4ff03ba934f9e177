import { expect, test } from 'vitest';
import { BlockReader } from '../../../src/codec/block.ts';
import { encode } from '../../../src/codec/encode.ts';
import type { PackedEncoding } from '../../../src/codec/encoding.ts';
import type { Ladder } from '../../../src/compress/effort.ts';
import { sampleLayer } from '../../../src/jobs/rewrite/sample-layer.ts';
import { Slots } from '../../../src/stream/slots.ts';
import { poolOf } from '../rig.ts';
import { MiB } from '../../../src/units.ts';

const { signal } = new AbortController();
const ladders: readonly Ladder[] = [
  [
    { kind: 'gzip', level: 1, engine: 'libdeflate' },
    { kind: 'gzip', level: 6, engine: 'libdeflate' },
  ],
  [
    { kind: 'zstd', level: 1 },
    { kind: 'zstd', level: 6 },
  ],
];

/** `a` packs well, `b` less so, `n` not at all; 4 MiB each. */
function bytesOf(pattern: string, length = pattern.length * 4 * MiB): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const kind = pattern[Math.floor(i / (4 * MiB))];
    bytes[i] = kind === 'n' ? state >>> 24 : (state >>> (kind === 'a' ? 29 : 27)) + ((i >> 4) & 31);
  }
  return bytes;
}

async function* pieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

function sample(bytes: Uint8Array, { chunk = 1_000_003, jobs = 2, allowance = null as number | null } = {}) {
  const source = new BlockReader(pieces(bytes, chunk));
  return sampleLayer(source, { ladders, allowance, pool: poolOf(jobs), slots: new Slots(jobs), signal });
}

async function sizeOf(bytes: Uint8Array, encoding: PackedEncoding): Promise<number> {
  let size = 0;
  for await (const chunk of encode(pieces(bytes, MiB), encoding, { pool: poolOf(2), signal }))
    size += chunk.length;
  return size;
}

test('neither chunks nor jobs change what it finds', async () => {
  const bytes = bytesOf('abab', 14 * MiB + 5000);
  const first = await sample(bytes, { jobs: 1 });
  expect(await sample(bytes, { chunk: 65_536, jobs: 4 })).toEqual({ ...first, spent: expect.any(Number) });
  expect(first).toMatchObject({ tarBytes: bytes.length, sampledBytes: 8 * MiB });
  expect(first.options.map(({ work }) => work)).toEqual([null, null, null, null]);
});

test('finds the size of a layer of one piece, to the byte', async () => {
  const bytes = bytesOf('b', 3 * MiB);
  for (const { encoding, size } of (await sample(bytes)).options)
    expect(size).toBe(await sizeOf(bytes, encoding as PackedEncoding));
});

test('finds the size of a larger one nearly, though its ends differ', async () => {
  const bytes = bytesOf('aabbb');
  for (const { encoding, size } of (await sample(bytes)).options) {
    const actual = await sizeOf(bytes, encoding as PackedEncoding);
    expect(Math.abs(size / actual - 1), JSON.stringify(encoding)).toBeLessThan(0.05);
  }
});

test('data that does not compress is not sampled, but counts', async () => {
  const noisy = bytesOf('nannb');
  const found = await sample(noisy);
  expect(found.sampledBytes).toBe(8 * MiB);
  for (const { encoding, size } of found.options) {
    const actual = await sizeOf(noisy, encoding as PackedEncoding);
    expect(Math.abs(size / actual - 1), JSON.stringify(encoding)).toBeLessThan(0.02);
  }
  const noise = await sample(bytesOf('nn'));
  expect(noise.sampledBytes).toBe(0);
  const [gzip1, gzip6] = noise.options;
  expect(gzip6?.size).toBe(gzip1?.size);
});

test('without an allowance nothing is tried but the cheapest; with one, each has its time', async () => {
  const bytes = bytesOf('ab');
  const none = await sample(bytes, { allowance: 0 });
  expect(none.options.map(({ encoding }) => encoding)).toEqual(ladders.map(([first]) => first));
  const all = await sample(bytes, { allowance: 1e6 });
  expect(all.options).toHaveLength(4);
  for (const { work } of all.options) expect(work).toBeGreaterThan(0);
  expect(all.options.map(({ threads }) => threads)).toEqual([8, 8, 1, 1]);
});

test('an empty tar is tried too', async () => {
  expect(await sample(new Uint8Array(0))).toMatchObject({ tarBytes: 0, sampledBytes: 0 });
});
