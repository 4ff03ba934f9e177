/**
 * Measures the steps of a recompression: `hot-path.ts BLOB` takes a gzip layer, and prints the processor time of
 * each step per byte of tar, and of the whole. The steps use what src/ uses, in the same order.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { BlockReader } from '../src/codec/block.ts';
import { encodeBlocks } from '../src/codec/encode.ts';
import { createEncoderPool } from '../src/codec/encoder-pool.ts';
import { decoderBuffers } from '../src/codec/native-decoder.ts';
import { sealing } from '../src/stream/seal.ts';
import { TarReader } from '../src/tar/reader.ts';
import { KiB } from '../src/units.ts';

const [file = ''] = process.argv.slice(2);
const blob = readFileSync(file);
const { signal } = new AbortController();
const jobs = 2;

async function* chunksOf(bytes: Uint8Array, size = 256 * KiB): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function gunzip(): Promise<Uint8Array[]> {
  const decoder = createGunzip(decoderBuffers);
  decoder.end(blob);
  const chunks: Uint8Array[] = [];
  for await (const chunk of decoder as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return chunks;
}

const tar = Buffer.concat(await gunzip());

/** Returns the seconds of processor time of all threads: the least of three runs. */
async function timed(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 3; run++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1e6);
  }
  return Math.min(...times);
}

async function encodeZstd(): Promise<void> {
  const pool = createEncoderPool({ jobs });
  const packed = encodeBlocks(
    new BlockReader(chunksOf(tar, tar.length)),
    { kind: 'zstd', level: 3 },
    { signal, pool },
  );
  for await (const _ of packed);
  await pool.close();
}

async function whole(): Promise<void> {
  const pool = createEncoderPool({ jobs });
  const read = sealing(chunksOf(blob));
  const source = pool.unpackers.open(read.stream, { compression: 'gzip', hash: 'sha256', signal });
  const packed = sealing(encodeBlocks(source, { kind: 'zstd', level: 3 }, { signal, pool }));
  for await (const _ of packed.stream);
  await pool.close();
}

async function readHeaders(): Promise<void> {
  const reader = new TarReader(chunksOf(tar));
  for (let entry = reader.nextNow() ?? (await reader.next()); entry !== null; ) {
    entry = reader.nextNow() ?? (await reader.next());
  }
}

const copy = new Uint8Array(tar.length);
const steps: readonly (readonly [string, () => unknown])[] = [
  ['inflate', gunzip],
  ['SHA-256 of the tar', () => createHash('sha256').update(tar).digest()],
  ['SHA-256 of the packed layer', () => createHash('sha256').update(blob).digest()],
  ['a copy of the tar', () => copy.set(tar)],
  ['headers (squash and prune only)', readHeaders],
  ['zstd 3, with the copy into blocks', encodeZstd],
  ['all of it: verify, unpack, hash, pack, hash', whole],
];
process.stdout.write(`${(tar.length / 1e6).toFixed(1)} MB of tar in ${(blob.length / 1e6).toFixed(1)} MB\n`);
for (const [name, work] of steps) {
  const seconds = await timed(work);
  process.stdout.write(
    `${name.padEnd(46)} ${seconds.toFixed(2)} s ${((seconds * 1e9) / tar.length).toFixed(2)} ns/byte\n`,
  );
}
