import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode } from '../../src/codec/decode.ts';
import type { GzipBlock } from '../../src/codec/gzip-block.ts';
import { gzipBlocks } from '../../src/codec/gzip-blocks.ts';
import { GzipScanner } from '../../src/codec/gzip-scan.ts';
import { OcislimError } from '../../src/errors.ts';
import { KiB, MiB } from '../../src/units.ts';
import { bytesOfBits, emptyFixed, members } from '../support/deflate-streams.ts';
import { engines, type Engine } from '../support/engines.ts';
import { runs, seed } from '../support/extent.ts';
import { findBlocks, inPieces, strayFrom } from '../support/gzip-blocks.ts';

const { signal } = new AbortController();

/** Some members one behind the other, with what they unpack to. */
const streams = fc.array(members, { minLength: 1, maxLength: 4 }).map((parts) => ({
  packed: Buffer.concat(parts.map(({ packed }) => packed)),
  unpacked: Buffer.concat(parts.map(({ bytes }) => bytes)),
  /** The first block of each member. */
  first: parts.map(({ header }, i): GzipBlock => {
    const before = parts.slice(0, i);
    const member = before.reduce((sum, { packed }) => sum + packed.length, 0);
    const byte = before.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return { bit: 8 * (member + header), byte, member };
  }),
}));

const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300_000 }));

describe.each(engines)('with the $name engine', ({ native }) => {
  test('unpacking goes on from any block of any stream, with at most 32 KiB before it', async () => {
    let count = 0;
    const property = fc.asyncProperty(
      streams,
      fc.infiniteStream(fc.nat()),
      async ({ packed, unpacked, first }, choices) => {
        const { bytes, blocks } = await findBlocks(packed, MiB, native);
        expect(bytes.equals(unpacked)).toBe(true);
        expect(blocks.filter(({ member }) => member !== null)).toEqual(first);
        const some = Array.from(
          { length: 4 },
          () => blocks[(choices.next().value as number) % blocks.length],
        );
        for (const block of new Set(some)) {
          count++;
          expect(strayFrom(packed, bytes, blocks, block as GzipBlock)).toBeNull();
        }
      },
    );
    await fc.assert(property, { numRuns: runs(100, 1000), seed });
    expect(count).toBeGreaterThan(100);
  });

  test('blocks do not depend on how a stream is cut, nor on the engine', async () => {
    const property = fc.asyncProperty(streams, sizes, async ({ packed }, size) => {
      const expected = await findBlocks(packed, MiB, null);
      const found = await findBlocks(packed, size, native);
      expect(found.blocks).toEqual(expected.blocks);
      expect(found.bytes.equals(expected.bytes)).toBe(true);
    });
    await fc.assert(property, { numRuns: runs(100, 1000), seed });
  });

  test('what is damaged is refused as the decoder refuses it, however it is cut', async () => {
    const damage = fc.record({
      flips: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7)), { maxLength: 3 }),
      cut: fc.oneof(fc.constant(0), fc.nat(20), fc.nat(5000)),
      stray: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 30 })),
    });
    let refused = 0;
    const property = fc.asyncProperty(streams, damage, sizes, async (stream, { flips, cut, stray }, size) => {
      const packed = Buffer.concat([
        stream.packed.subarray(0, Math.max(0, stream.packed.length - cut)),
        stray,
      ]);
      for (const [where, bit] of flips) {
        const at = Math.min(packed.length - 1, Math.floor(where * packed.length));
        if (at >= 0) packed[at] = (packed[at] as number) ^ (1 << bit);
      }
      const expected = await verdict(() => decode(inPieces(packed, MiB), 'gzip', { signal }));
      expect(await verdict(() => bytesOnly(packed, size, native))).toBe(expected);
      if (expected.startsWith('CODEC')) refused++;
    });
    await fc.assert(property, { numRuns: runs(100, 1000), seed });
    expect(refused).toBeGreaterThan(20);
  });

  test('a stream that is cut anywhere, empty or followed by zeros is refused', async () => {
    const whole = Buffer.concat([gzipSync('some words, some words'), gzipSync('', { level: 0 })]);
    for (let size = 0; size <= whole.length; size++) {
      const packed = whole.subarray(0, size);
      const expected = await verdict(() => decode(inPieces(packed, MiB), 'gzip', { signal }));
      expect(await verdict(() => bytesOnly(packed, 3, native)), `${size} bytes`).toBe(expected);
    }
    const zeros = Buffer.concat([whole, Buffer.alloc(600)]);
    expect(await verdict(() => bytesOnly(zeros, 3, native))).toContain('goes on after its last member');
  });

  test('a million blocks without bytes, and a bomb, come in pieces of bounded size', async () => {
    const many = withoutBytes(250_000);
    let count = 0;
    let most = 0;
    for await (const { bytes, blocks } of gzipBlocks(inPieces(many, 600 * KiB), { signal, native })) {
      expect(bytes.length).toBe(0);
      for (const { bit, byte } of blocks) {
        if (bit !== 80 + 10 * count++ || byte !== 0) throw new Error(`block ${count} begins at bit ${bit}`);
      }
      most = Math.max(most, blocks.length);
    }
    expect(count).toBe(1_000_001);
    // Those of one chunk of 256 KiB, and those that may wait before it.
    expect(most).toBeLessThan(250_000);
    const bomb = gzipSync(Buffer.alloc(64 * MiB));
    let size = 0;
    for await (const { bytes } of gzipBlocks(inPieces(bomb, MiB), { signal, native })) {
      expect(bytes.buffer.byteLength).toBeLessThanOrEqual(256 * KiB);
      size += bytes.length;
    }
    expect(size).toBe(64 * MiB);
  });

  test.each([
    ['with bytes', Buffer.alloc(30 * MiB), 'stored'],
    ['without bytes', withoutBytes(600_000), 'fixed'],
  ] as const)(
    'a consumer that leaves at a piece %s releases the source, and does not read to its end',
    async (_, body, kind) => {
      const packed = kind === 'stored' ? gzipSync(body, { level: 0 }) : Buffer.concat(Array(4).fill(body));
      const source = watched(packed);
      for await (const _piece of gzipBlocks(source.stream, { signal, native })) break;
      await source.released;
      expect(source.state.read).toBeLessThan(packed.length / 2);
    },
  );

  test('an interruption rejects with its reason, and reads nothing where it came before', async () => {
    const packed = gzipSync(Buffer.alloc(30 * MiB), { level: 0 });
    for (const reason of [new Error('enough'), 'enough']) {
      const controller = new AbortController();
      const source = watched(packed);
      const reading = (async () => {
        for await (const _ of gzipBlocks(source.stream, { signal: controller.signal, native }))
          controller.abort(reason);
      })();
      expect(await reading.catch((error: unknown) => error)).toBe(reason);
      await source.released;
      const untouched = watched(packed);
      const never = gzipBlocks(untouched.stream, { signal: controller.signal, native });
      const before = (async () => {
        for await (const _ of never) break;
      })();
      expect(await before.catch((error: unknown) => error)).toBe(reason);
      expect(untouched.state.read).toBe(0);
    }
  });

  test('an error of the source is thrown as it is', async () => {
    async function* broken() {
      yield gzipSync(Buffer.alloc(MiB), { level: 0 }).subarray(0, 700_000);
      throw new Error('the source broke');
    }
    await expect(verdict(() => onlyBytes(broken(), native))).rejects.toThrow('the source broke');
  });
});

/** Returns a gzip member of so many times four blocks without bytes, and the last one. */
function withoutBytes(times: number): Buffer {
  const four = bytesOfBits([...emptyFixed, ...emptyFixed, ...emptyFixed, ...emptyFixed]);
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  const body = Buffer.alloc(times * four.length, four);
  return Buffer.concat([head, body, Buffer.from([3, 0]), Buffer.alloc(8)]);
}

test('positions beyond 2^32 bits are exact', () => {
  const scanner = new GzipScanner();
  const member = gzipSync(Buffer.alloc(MiB, 'some text'), { level: 0 });
  const times = Math.ceil(2 ** 29 / member.length) + 1;
  let last: GzipBlock | undefined;
  for (let i = 0; i < times; i++) {
    scanner.push(member);
    last = scanner.take(Number.POSITIVE_INFINITY).findLast((block) => block.member !== null);
  }
  const at = (times - 1) * member.length;
  expect(at * 8).toBeGreaterThan(2 ** 32);
  expect(last).toEqual({ bit: 8 * (at + 10), byte: (times - 1) * MiB, member: at });
  expect(scanner.isWhole(times * MiB)).toBe(true);
});

test('the example of the documentation finds checkpoints', async () => {
  const page = readFileSync(new URL('../../docs/native.md', import.meta.url), 'utf8');
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
  const folder = await mkdtemp(join(tmpdir(), 'ocislim-blocks-'));
  try {
    const text = Buffer.from(Array.from({ length: 300_000 }, (_, i) => `line ${i}\n`).join(''));
    await writeFile(join(folder, 'layer.tar.gz'), gzipSync(text));
    const api = new URL('../../src/index.ts', import.meta.url).href;
    const code = example.replace("'ocislim'", JSON.stringify(api));
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: folder });
    expect(stdout).toMatch(/^\d+ checkpoints\n$/);
    expect(Number.parseInt(stdout, 10)).toBeGreaterThan(2);
  } finally {
    await rm(folder, { recursive: true });
  }
});

async function* onlyBytes(stream: AsyncIterable<Uint8Array>, native: Engine['native']) {
  for await (const { bytes } of gzipBlocks(stream, { signal, native })) yield bytes;
}

function bytesOnly(packed: Uint8Array, size: number, native: Engine['native']) {
  return onlyBytes(inPieces(packed, size), native);
}

/** Returns the error, or what was unpacked. */
async function verdict(work: () => AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of work()) parts.push(part);
  } catch (error) {
    if (!(error instanceof OcislimError)) throw error;
    return `${error.code}: ${error.message}`;
  }
  return `whole: ${Buffer.concat(parts).toString('base64')}`;
}

/** A source that tells how much of it was read, and when it was released. */
function watched(bytes: Uint8Array) {
  const state = { read: 0 };
  const { promise: released, resolve } = Promise.withResolvers<void>();
  async function* stream() {
    try {
      for await (const chunk of inPieces(bytes, 100_000)) {
        state.read += chunk.length;
        yield chunk;
      }
    } finally {
      resolve();
    }
  }
  return { state, released, stream: stream() };
}
