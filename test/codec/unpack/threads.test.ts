import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { decode } from '../../../src/codec/decode.ts';
import { UnpackThreads } from '../../../src/codec/unpack/threads.ts';
import type { Unpacking } from '../../../src/codec/unpack/unpacking.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { Compression } from '../../../src/oci/media-type.ts';
import type { ByteStream } from '../../../src/stream/byte-stream.ts';
import { KiB, MiB } from '../../../src/units.ts';
import { engines } from '../../support/engines.ts';

const { signal } = new AbortController();
const formats = ['gzip', 'zstd', 'none'] as const;

function pack(parts: readonly Uint8Array[], compression: Compression): Buffer {
  const packOne = { gzip: gzipSync, zstd: zstdCompressSync, none: (part: Uint8Array) => part }[compression];
  return Buffer.concat(parts.map((part) => packOne(part)));
}

async function* cut(bytes: Uint8Array, size: number): ByteStream {
  for (let at = 0; at < bytes.length; at += size) yield new Uint8Array(bytes.subarray(at, at + size));
}

/** Text that packs, longer than one message. */
function text(length: number, seed: number): Uint8Array {
  return Buffer.from(
    Array.from({ length: Math.ceil(length / 8) }, (_, i) =>
      ((i * 2_654_435_761 + seed) >>> 8).toString(36).padEnd(8),
    ).join(''),
  ).subarray(0, length);
}

async function blocksOf(unpacking: Unpacking, size: number): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for (;;) {
    const { bytes, last } = await unpacking.next(new SharedArrayBuffer(size));
    blocks.push(Buffer.from(bytes));
    if (last) return Buffer.concat(blocks);
    expect(bytes.length).toBe(size);
  }
}

async function collect(stream: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Waits until the thread has had its turns for all that was sent to it before. */
async function roundTrips(threads: UnpackThreads): Promise<void> {
  for (let i = 0; i < 10; i++) {
    const unpacking = threads.open(cut(new Uint8Array(10), 5), {
      compression: 'none',
      hash: 'sha256',
      signal,
    });
    await collect(unpacking.chunks());
    await unpacking.close();
  }
}

describe.each(engines)('threads with the engine $name', ({ path }) => {
  const native = () => path;
  const one = new UnpackThreads(1, { native });
  const two = new UnpackThreads(2, { native });
  afterAll(() => Promise.all([one.close(), two.close()]));

  test('threads unpack several streams at once, in blocks of any size, and state the digest of each', async () => {
    const stream = fc.record({
      lengths: fc.array(fc.oneof(fc.nat(3000), fc.constantFrom(64 * KiB, 300 * KiB)), {
        minLength: 1,
        maxLength: 4,
      }),
      compression: fc.constantFrom(...formats),
      chunk: fc.constantFrom(100, 4096, 128 * KiB, 256 * KiB, MiB),
      block: fc.constantFrom(512, 1000, 64 * KiB, 8 * MiB),
      asBlocks: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(stream, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(one, two),
        async (streams, threads) => {
          await Promise.all(
            streams.map(async ({ lengths, compression, chunk, block, asBlocks }, i) => {
              const parts = lengths.map((length) => text(length, i));
              const packed = pack(parts, compression);
              const unpacking = threads.open(cut(packed, chunk), { compression, hash: 'sha256', signal });
              const bytes = await (asBlocks ? blocksOf(unpacking, block) : collect(unpacking.chunks()));
              expect(bytes.equals(Buffer.concat(parts))).toBe(true);
              expect(unpacking.digest()).toBe(digestOf(bytes));
              await unpacking.close();
            }),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a damaged stream fails in a thread with the same error as in this one', async () => {
    const whole = pack([text(200 * KiB, 1), text(300, 2)], 'gzip');
    const frames = pack([text(200 * KiB, 1), text(300, 2)], 'zstd');
    const broken: [Buffer, Compression][] = [
      [whole.subarray(0, -1), 'gzip'],
      [Buffer.concat([whole, Buffer.alloc(7)]), 'gzip'],
      [Buffer.from(whole).fill(1, 300, 320), 'gzip'],
      [Buffer.alloc(0), 'gzip'],
      [frames.subarray(0, -3), 'zstd'],
      [Buffer.concat([frames, Buffer.from('more')]), 'zstd'],
    ];
    for (const [bytes, compression] of broken) {
      const here = await collect(decode(cut(bytes, 4096), compression, { signal })).catch(
        (error: unknown) => error,
      );
      const unpacking = one.open(cut(bytes, 4096), { compression, hash: 'sha256', signal });
      const there = await collect(unpacking.chunks()).catch((error: unknown) => error);
      await unpacking.close();
      expect(there).toMatchObject({ code: 'CODEC', message: (here as Error).message });
    }
  });

  test('an error of the source is thrown as it is', async () => {
    const error = new Error('the network is down');
    async function* source(): ByteStream {
      yield pack([text(10, 1)], 'none');
      throw error;
    }
    const unpacking = one.open(source(), { compression: 'none', hash: 'sha256', signal });
    await expect(collect(unpacking.chunks())).rejects.toBe(error);
    await unpacking.close();
  });

  test('the source is read no further than the room given and a few messages', async () => {
    const read = { bytes: 0, released: false };
    async function* source(): ByteStream {
      try {
        for (;;) {
          read.bytes += 256 * KiB;
          yield new Uint8Array(256 * KiB);
        }
      } finally {
        read.released = true;
      }
    }
    const unpacking = one.open(source(), { compression: 'none', hash: 'sha512', signal });
    await roundTrips(one);
    expect(read.bytes).toBe(0);
    expect((await unpacking.next(new SharedArrayBuffer(MiB))).last).toBe(false);
    await roundTrips(one);
    expect(read.bytes).toBeLessThanOrEqual(4 * MiB);
    await unpacking.close();
    expect(read.released).toBe(true);
  });

  test.each(['before', 'while'])('an abort %s a block is unpacked rejects at once', async (when) => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    const { promise: isHanging, resolve: onHanging } = Promise.withResolvers<void>();
    async function* hanging(): ByteStream {
      yield new Uint8Array(10);
      onHanging();
      await new Promise(() => {});
    }
    if (when === 'before') stop.abort(reason);
    const unpacking = one.open(hanging(), { compression: 'none', hash: 'sha256', signal: stop.signal });
    const next = unpacking.next(new SharedArrayBuffer(MiB));
    if (when === 'while') void isHanging.then(() => stop.abort(reason));
    await expect(next).rejects.toBe(reason);
    await unpacking.close();
  });

  test('messages that come late for a closed stream disturb no other', async () => {
    const packed = pack([text(3 * MiB, 1)], 'gzip');
    const first = one.open(cut(packed, 4096), { compression: 'gzip', hash: 'sha256', signal });
    const unwanted = first.next(new SharedArrayBuffer(MiB));
    const second = one.open(cut(packed, 4096), { compression: 'gzip', hash: 'sha256', signal });
    await first.close();
    await expect(unwanted).rejects.toMatchObject({ code: 'INTERNAL' });
    expect((await blocksOf(second, MiB)).equals(text(3 * MiB, 1))).toBe(true);
    await second.close();
  });

  test.each(['throw new Error("no such luck")', 'process.exit(3)'])(
    'a thread that dies (%s) rejects the blocks asked for',
    async (script) => {
      const threads = new UnpackThreads(1, {
        file: new URL(`data:text/javascript,${encodeURIComponent(script)}`),
      });
      const unpacking = threads.open(cut(new Uint8Array(10), 5), {
        compression: 'none',
        hash: 'sha256',
        signal,
      });
      await expect(unpacking.next(new SharedArrayBuffer(MiB))).rejects.toMatchObject({
        code: 'INTERNAL',
        message: expect.stringMatching(
          /^a thread that unpacks layers failed: (?:no such luck|it ended with status 3)$/,
        ),
      });
      await unpacking.close();
      await threads.close();
    },
  );
});
