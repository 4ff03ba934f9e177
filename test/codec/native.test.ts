import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGzip, crc32, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { deflate } from 'libdeflate';
import { afterAll, describe, expect, test } from 'vitest';
import { decode } from '../../src/codec/decode.ts';
import { leaveOpen } from '../../src/codec/deflate-join.ts';
import { describeNative, findNative, loadNative } from '../../src/codec/native.ts';
import { libcIn, nativePlatform } from '../../src/codec/native-platform.ts';
import { OcislimError } from '../../src/errors.ts';
import { KiB, MiB } from '../../src/units.ts';
import { nativeEngines } from '../support/engines.ts';
import { runs, seed } from '../support/extent.ts';

const { signal } = new AbortController();

/** Bytes of one kind. A block of a layer holds several kinds, one behind the other. */
const pieces = fc.oneof(
  fc.record({ kind: fc.constant('zeros' as const), size: fc.integer({ min: 0, max: 600_000 }) }),
  fc.record({
    kind: fc.constantFrom('noise' as const, 'text' as const, 'skewed' as const),
    size: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 400_000 })),
    from: fc.integer(),
  }),
);

function bytesOf(parts: readonly (typeof pieces extends fc.Arbitrary<infer P> ? P : never)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      const bytes = new Uint8Array(part.size);
      if (part.kind === 'zeros') return bytes;
      let state = part.from;
      for (let i = 0; i < bytes.length; i++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        const high = state >>> 24;
        if (part.kind === 'noise') bytes[i] = high;
        else if (part.kind === 'skewed') bytes[i] = Math.clz32(state) * 7;
        // Words of the bytes before, so that there are matches of every length.
        else bytes[i] = i > 40 && high > 16 ? (bytes[i - 1 - (high & 31)] as number) : 97 + (high & 15);
      }
      return bytes;
    }),
  );
}

const contents = fc.array(pieces, { maxLength: 6 }).map(bytesOf);

describe.each(nativeEngines)('the $name engine', ({ native }) => {
  test('packs to the same bytes as WebAssembly: any input, at any level, last or not', async () => {
    const deflater = new native.Deflater();
    await fc.assert(
      fc.asyncProperty(
        contents,
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        async (bytes, level, last) => {
          const input = bytes.subarray(0, level > 9 ? 200_000 : bytes.length);
          const room = new Uint8Array(native.Deflater.room(input.length));
          const { size, crc } = await deflater.deflate(level, input, room, last);
          const expected = last ? deflate(input, level) : leaveOpen(deflate(input, level));
          expect(Buffer.compare(room.subarray(0, size), expected), `${input.length} bytes`).toBe(0);
          expect(crc).toBe(crc32(input));
        },
      ),
      { numRuns: runs(150, 1500), seed },
    );
  });

  test('packs every short input to the same bytes, and whole blocks of shared memory', async () => {
    const deflater = new native.Deflater();
    const text = bytesOf([{ kind: 'text', size: MiB, from: seed }]);
    const block = new Uint8Array(new SharedArrayBuffer(MiB));
    block.set(text);
    for (let level = 1; level <= 12; level++) {
      const inputs = [...Array.from({ length: 70 }, (_, size) => text.subarray(9, 9 + size)), block];
      for (const input of inputs) {
        const room = new Uint8Array(new SharedArrayBuffer(native.Deflater.room(input.length)));
        const packed = deflate(input, level);
        for (const expected of [packed, leaveOpen(packed)]) {
          const { size } = await deflater.deflate(level, input, room, expected === packed);
          expect(Buffer.compare(room.subarray(0, size), expected), `${level}: ${input.length}`).toBe(0);
        }
      }
    }
  });

  test('has the verdict of node:zlib on damaged streams, in the same words, however they are cut', async () => {
    const damage = fc.record({
      flips: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7)), { maxLength: 3 }),
      /** Bytes that are missing at the end. */
      cut: fc.oneof(fc.constant(0), fc.nat(20), fc.nat(5000)),
      stray: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 30 })),
    });
    const members = fc.array(fc.tuple(contents, fc.integer({ min: 0, max: 9 })), {
      minLength: 1,
      maxLength: 3,
    });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        members,
        damage,
        fc.integer({ min: 1, max: 100_000 }),
        async (parts, { flips, cut, stray }, size) => {
          const whole = Buffer.concat(parts.map(([bytes, level]) => gzipSync(bytes, { level })));
          const packed = Buffer.concat([whole.subarray(0, Math.max(0, whole.length - cut)), stray]);
          for (const [where, bit] of flips) {
            const at = Math.min(packed.length - 1, Math.floor(where * packed.length));
            if (at >= 0) packed[at] = (packed[at] as number) ^ (1 << bit);
          }
          const expected = await verdict(packed, MiB, null);
          expect(await verdict(packed, size, native)).toBe(expected);
          if (expected.startsWith('CODEC')) refused++;
        },
      ),
      { numRuns: runs(150, 1500), seed },
    );
    expect(refused).toBeGreaterThan(20);
  });

  test('unpacks what other programs pack with flushes, and bombs, in bounded memory', async () => {
    const engine = createGzip({ level: 9 });
    const parts: Uint8Array[] = [];
    engine.on('data', (part: Uint8Array) => parts.push(part));
    for (let i = 0; i < 50; i++) {
      engine.write(Buffer.from(`line ${i}\n`.repeat(i)));
      await new Promise<void>((resolve) => engine.flush(resolve));
    }
    engine.end(Buffer.alloc(64 * MiB));
    await new Promise((resolve) => engine.on('end', resolve));
    const packed = Buffer.concat(parts);
    expect(await verdict(packed, 1000, native)).toBe(await verdict(packed, MiB, null));
    let largest = 0;
    for await (const chunk of decode(cutUp(packed, MiB), 'gzip', { signal, native }))
      largest = Math.max(largest, chunk.buffer.byteLength);
    expect(largest).toBeLessThanOrEqual(256 * KiB);
    expect(gunzipSync(packed).length).toBeGreaterThan(64 * MiB);
  });

  test('refuses what it cannot do with an error, not with an end of the process', async () => {
    const deflater = new native.Deflater();
    const room = new Uint8Array(1000);
    for (const level of [-1, 0, 13])
      await expect(deflater.deflate(level, new Uint8Array(5), room, true)).rejects.toThrow('no packer');
    await expect(deflater.deflate(6, new Uint8Array(5000), new Uint8Array(3), false)).rejects.toThrow(
      'too small',
    );
    expect(() => deflater.deflate(6, room.subarray(0, 600), room.subarray(500), true)).toThrow('overlaps');
    const inflater = new native.Inflater('sha256');
    expect(() => inflater.fill(room.subarray(0, 600), room.subarray(500))).toThrow('overlaps');
    expect(() => inflater.fill('text' as never, room)).toThrow(Error);
    expect(() => new native.Inflater('md5' as never)).toThrow('no hash md5');
    expect(await inflater.fill(detachedBytes(), room)).toMatchObject({ read: 0, written: 0, place: 0 });
    await expect(inflater.fill(Buffer.from('no gzip'), room)).rejects.toThrow('incorrect header check');
  });
});

/** Returns bytes whose memory has been moved elsewhere. */
function detachedBytes(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

async function* cutUp(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Returns the error, or the checksum and length of what was unpacked. */
async function verdict(packed: Uint8Array, size: number, native: Parameters<typeof decode>[2]['native']) {
  let crc = 0;
  let length = 0;
  try {
    for await (const chunk of decode(cutUp(packed, size), 'gzip', { signal, native: native ?? null })) {
      crc = crc32(chunk, crc);
      length += chunk.length;
    }
    return `whole: ${length} ${crc}`;
  } catch (error) {
    if (!(error instanceof OcislimError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

describe('the native engine is looked for', () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  test('not with OCISLIM_NATIVE=0, and the reason is told', () => {
    const none = findNative('0');
    expect(none).toEqual({ kind: 'none', reason: 'OCISLIM_NATIVE=0' });
    expect(describeNative(none)).toMatch(/^no native engine: .*same bytes \(OCISLIM_NATIVE=0\)$/);
  });

  test.each(['yes', 'true', 'native.node', './native.node'])(
    'nowhere for OCISLIM_NATIVE=%s, which is a mistake',
    (choice) => {
      expect(() => findNative(choice)).toThrow(
        expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(choice) as string }),
      );
    },
  );

  test('in the file of OCISLIM_NATIVE alone, and an unfit one is an error that says why', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ocislim-native-'));
    folders.push(folder);
    const text = join(folder, 'text.node');
    await writeFile(text, 'no library');
    // A module of the bundler: made for Node, without our interface.
    const bundler = fileURLToPath(new URL('../../node_modules/@rolldown/', import.meta.url));
    const foreign = globSync('binding-*/*.node', { cwd: bundler }).map((name) => join(bundler, name));
    const unfit = [
      [join(folder, 'missing.node'), 'No such file'],
      [text, 'file too short'],
      [folder, folder],
      ...foreign.map((path) => [path, 'its interface is version undefined, not 3'] as const),
    ] as const;
    for (const [path, words] of unfit)
      expect(() => findNative(path)).toThrow(
        expect.objectContaining({
          code: 'UNSUPPORTED',
          message: expect.stringContaining(words) as string,
          advice: expect.stringContaining('Without OCISLIM_NATIVE') as string,
        }),
      );
    expect(() => loadNative(text)).toThrow(Error);
  });

  test('here by default, and its absence is not an error', () => {
    const found = findNative('');
    if (found.kind === 'found') expect(describeNative(found)).toContain(found.path);
    else
      expect(found.reason).toMatch(
        /there is no local build; the package @ocislim\/native-|no engine is built/,
      );
  });
});

test.each([
  ['linux', 'x64', 'gnu', 'linux-x64-gnu'],
  ['linux', 'x64', 'musl', 'linux-x64-musl'],
  ['linux', 'arm64', 'gnu', 'linux-arm64-gnu'],
  ['linux', 'arm64', 'musl', 'linux-arm64-musl'],
  ['linux', 'riscv64', 'gnu', null],
  ['darwin', 'arm64', null, null],
  ['win32', 'x64', null, null],
] as const)('on %s %s with %s the native platform is %s', (platform, arch, libc, expected) => {
  expect(nativePlatform({ platform, arch, libc: () => libc })).toBe(expected);
});

test.each([
  ['7f00-7f01 r--p 00000000 08:01 123   /usr/lib/x86_64-linux-gnu/libc.so.6\n', 'gnu'],
  ['7f00-7f01 r--p 00000000 08:01 123   /lib/x86_64-linux-gnu/libc-2.31.so\n', 'gnu'],
  ['7f00-7f01 r-xp 00000000 08:01 123   /lib/ld-musl-x86_64.so.1\n', 'musl'],
  ['7f00-7f01 r-xp 00000000 08:01 123   /lib/libc.musl-aarch64.so.1\n', 'musl'],
  ['7f00-7f01 r-xp 00000000 08:01 123   /usr/bin/node\n', null],
  ['', null],
] as const)('the mapped files %j show the C library %s', (maps, libc) => {
  expect(libcIn(maps)).toBe(libc);
});
