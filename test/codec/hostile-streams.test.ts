import { createHash, randomBytes } from 'node:crypto';
import { constants, crc32, createZstdCompress, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decode } from '../../src/codec/decode.ts';
import { detect } from '../../src/codec/detect.ts';
import { encode } from '../../src/codec/encode.ts';
import { createEncoderPool } from '../../src/codec/encoder-pool.ts';
import { ZstdFrameScanner } from '../../src/codec/zstd-frame.ts';
import { OcislimError } from '../../src/errors.ts';
import type { Compression } from '../../src/oci/media-type.ts';
import { MiB } from '../../src/units.ts';

const never = new AbortController().signal;

async function* chunks(...parts: readonly Uint8Array[]) {
  yield* parts;
}

async function* cut(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unpack(
  stream: AsyncIterable<Uint8Array>,
  compression: Compression,
  options: { readonly maxWindow?: number } = {},
): Promise<Buffer> {
  const out: Uint8Array[] = [];
  for await (const chunk of decode(stream, compression, { signal: never, ...options })) out.push(chunk);
  return Buffer.concat(out);
}

/** The sentence of the CODEC error that it must end with. */
async function complaint(stream: AsyncIterable<Uint8Array>, compression: Compression): Promise<string> {
  const error = await unpack(stream, compression).then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(OcislimError);
  expect(error).toMatchObject({ code: 'CODEC' });
  return (error as OcislimError).message;
}

test('the first bytes tell what a blob is', () => {
  expect(detect(gzipSync('x'))).toBe('gzip');
  expect(detect(zstdCompressSync('x'))).toBe('zstd');
  for (let magic = 0x50; magic <= 0x5f; magic++)
    expect(detect(new Uint8Array([magic, 0x2a, 0x4d, 0x18]))).toBe('zstd');
  expect(detect(new Uint8Array([0x60, 0x2a, 0x4d, 0x18]))).toBe('none');
  expect(detect(new Uint8Array([0x4f, 0x2a, 0x4d, 0x18]))).toBe('none');
  expect(detect(new Uint8Array([0x1f]))).toBe('none');
  expect(detect(new Uint8Array([0x28, 0xb5, 0x2f]))).toBe('none');
  expect(detect(Buffer.from('./etc/passwd'))).toBe('none');
  expect(detect(new Uint8Array(0))).toBe('empty');
});

describe('gzip', () => {
  const member = gzipSync('the body');

  test.each([1, 7, 8, 512, 10_240])('%d zeros behind the last member are no padding', async (count) => {
    const padding = new Uint8Array(count);
    expect(await complaint(chunks(Buffer.concat([member, padding])), 'gzip')).toContain('goes on after');
    // Where the zeros come in chunks of their own, large enough not to be gathered.
    expect(await complaint(chunks(gzipSync(randomBytes(300_000)), padding), 'gzip')).toContain(
      'goes on after',
    );
    const wide = new Uint8Array(MiB);
    expect(await complaint(chunks(member, wide, wide, wide, wide, wide), 'gzip')).toContain('goes on after');
  });

  test('a member behind padding is not passed over', async () => {
    expect(await complaint(chunks(Buffer.concat([member, Buffer.alloc(4), member])), 'gzip')).toContain(
      'goes on',
    );
  });

  test('checksum and length of each member are held', async () => {
    for (const [offset, words] of [
      [8, 'CRC-32'],
      [4, 'length'],
    ] as const) {
      const bad = Buffer.from(member);
      const at = bad.length - offset;
      bad[at] = (bad[at] as number) ^ 1;
      expect(await complaint(chunks(bad), 'gzip')).toContain(words);
      expect(await complaint(chunks(Buffer.concat([member, bad, member])), 'gzip')).toContain(words);
    }
  });

  test('a late error is thrown after the good bytes', async () => {
    const body = randomBytes(3 * MiB);
    const packed = gzipSync(body);
    const seen = createHash('sha256');
    let size = 0;
    const reading = (async () => {
      for await (const chunk of decode(cut(packed.subarray(0, -1), 65_536), 'gzip', { signal: never })) {
        seen.update(chunk);
        size += chunk.length;
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'CODEC', message: 'the gzip stream is cut off' });
    expect(seen.digest('hex')).toBe(createHash('sha256').update(body.subarray(0, size)).digest('hex'));
  });

  test('an empty stream, a plain tar and zstd are refused as gzip', async () => {
    expect(await complaint(chunks(), 'gzip')).toContain('empty');
    expect(await complaint(chunks(new Uint8Array(0)), 'gzip')).toContain('empty');
    expect(await complaint(chunks(zstdCompressSync('x')), 'gzip')).toContain(
      'does not start with a gzip header',
    );
    expect(await complaint(chunks(Buffer.alloc(1024)), 'gzip')).toContain(
      'does not start with a gzip header',
    );
  });

  test('names, comments, extra fields, header checksums, and empty members as in eStargz are read', async () => {
    const head = Buffer.from([0x1f, 0x8b, 8, 0x02 | 0x04 | 0x08 | 0x10, 1, 2, 3, 4, 0, 3]);
    const extra = Buffer.concat([
      Buffer.from([26, 0]),
      Buffer.from('SG'),
      Buffer.from([22, 0]),
      Buffer.alloc(22, 'a'),
    ]);
    const texts = Buffer.from('a name\0a comment\0');
    const plainHead = Buffer.concat([head, extra, texts]);
    const headCheck = Buffer.alloc(2);
    headCheck.writeUInt16LE(crc32(plainHead) & 0xffff);
    const tail = Buffer.alloc(8);
    const emptyMember = Buffer.concat([plainHead, headCheck, deflateRawSync(''), tail]);
    const packed = Buffer.concat([emptyMember, member, emptyMember, emptyMember, member, emptyMember]);
    for (const size of [1, 3, 1000])
      expect(String(await unpack(cut(packed, size), 'gzip'))).toBe('the bodythe body');
  });
});

describe('zstd', () => {
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  const raw = (bytes: string, last: boolean) => {
    const head = Buffer.alloc(3);
    head.writeUIntLE((bytes.length << 3) | (last ? 1 : 0), 0, 3);
    return Buffer.concat([head, Buffer.from(bytes)]);
  };

  test('T9: a window beyond the limit is refused before a byte is unpacked; raised, one of 2 GiB is read', async () => {
    const before = process.memoryUsage.rss();
    const frame = Buffer.concat([magic, Buffer.from([0x00, 0xa8]), raw('abc', false), raw('def', true)]);
    await expect(unpack(chunks(frame), 'zstd')).rejects.toMatchObject({
      code: 'LIMIT',
      message:
        'a zstd frame needs too much memory: its window has 2147483648 bytes, and the limit window-bytes is 128MiB',
      advice: expect.stringContaining('--limit window-bytes='),
    });
    const raised = { maxWindow: 2048 * MiB };
    expect(String(await unpack(chunks(Buffer.concat([frame, frame])), 'zstd', raised))).toBe('abcdefabcdef');
    // 128 MiB, and an eighth more.
    const [most, more] = [0x88, 0x89].map((window) =>
      Buffer.concat([magic, Buffer.from([0x00, window]), raw('abc', true)]),
    );
    expect(String(await unpack(chunks(most as Buffer), 'zstd'))).toBe('abc');
    await expect(unpack(chunks(more as Buffer), 'zstd')).rejects.toMatchObject({ code: 'LIMIT' });
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * MiB);
  });

  test('a size of 2^60 bytes, stated but not there, is damage and takes no memory', async () => {
    const before = process.memoryUsage.rss();
    const head = Buffer.from([0xc0, 0x50, 0, 0, 0, 0, 0, 0, 0, 0x10]);
    expect(await complaint(chunks(Buffer.concat([magic, head, raw('abc', true)])), 'zstd')).toContain(
      'damaged',
    );
    expect(await complaint(chunks(Buffer.concat([magic, head, raw('abc', false)])), 'zstd')).toContain(
      'cut off',
    );
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * MiB);
  });

  test.each([
    ['smaller', 4],
    ['larger', 6],
  ])('a stated size %s than the content is damage', async (_, size) => {
    const frame = Buffer.concat([magic, Buffer.from([0x20, size]), raw('hello', true)]);
    expect(await complaint(chunks(frame), 'zstd')).toContain('damaged');
  });

  test('a small frame in many blocks, most of them empty, is read', async () => {
    const blocks = Array.from({ length: 5000 }, () => raw('', false));
    const frame = Buffer.concat([magic, Buffer.from([0x20, 5]), ...blocks, raw('hello', true)]);
    for (const size of [10, 4096, frame.length])
      expect(String(await unpack(cut(frame, size), 'zstd'))).toBe('hello');
  });

  test('frames that need a dictionary, reserved bits and reserved blocks are refused', async () => {
    const dictionary = Buffer.concat([magic, Buffer.from([0x21, 7, 5]), raw('hello', true)]);
    expect(await complaint(chunks(dictionary), 'zstd')).toContain('dictionary');
    const reserved = Buffer.concat([magic, Buffer.from([0x28, 5]), raw('hello', true)]);
    expect(await complaint(chunks(reserved), 'zstd')).toContain('reserved bit');
    const block = Buffer.concat([magic, Buffer.from([0x20, 5, 0x07, 0, 0])]);
    expect(await complaint(chunks(block), 'zstd')).toContain('reserved type');
  });

  test('an empty stream, a plain tar and gzip are refused as zstd', async () => {
    expect(await complaint(chunks(), 'zstd')).toContain('empty');
    expect(await complaint(chunks(gzipSync('x')), 'zstd')).toContain('does not start with a magic number');
    expect(await complaint(chunks(Buffer.alloc(1024)), 'zstd')).toContain(
      'does not start with a magic number',
    );
  });

  test('a skippable frame that is cut off is damage', async () => {
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff, 1, 2]);
    expect(await complaint(chunks(zstdCompressSync('x'), skippable), 'zstd')).toContain('cut off');
  });

  test('frames of every kind come back in order: tiny, whole, streamed, of unknown size', async () => {
    const unknown = async (bytes: Uint8Array) => {
      const engine = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
      engine.end(bytes);
      const parts: Uint8Array[] = [];
      for await (const part of engine as AsyncIterable<Uint8Array>) parts.push(part);
      return Buffer.concat(parts);
    };
    const bodies = [10, 100_000, 50_000, 5 * MiB, 20, 12 * MiB, 70_000, 1, 0, 3 * MiB].map((size) =>
      randomBytes(size),
    );
    const frames = await Promise.all(
      bodies.map((body, i) => (i % 3 === 2 ? unknown(body) : Promise.resolve(zstdCompressSync(body)))),
    );
    const packed = Buffer.concat(frames);
    for (const size of [100_003, packed.length]) {
      const bytes = await unpack(cut(packed, size), 'zstd');
      expect(bytes.equals(Buffer.concat(bodies))).toBe(true);
    }
    // The same, with damage in each frame in its turn: always found.
    let end = 0;
    for (const frame of frames) {
      end += frame.length;
      expect(await complaint(cut(packed.subarray(0, end - 1), 100_003), 'zstd')).toContain('cut off');
    }
  });
});

describe.each(['gzip', 'zstd', 'none'] as const)('a %s stream that ends early', (compression) => {
  const body = randomBytes(20 * MiB);
  const packed = {
    gzip: () => gzipSync(body, { level: 1 }),
    zstd: () => zstdCompressSync(body),
    none: () => body,
  }[compression]();

  function source(bytes: Uint8Array) {
    const state = { released: 0, read: 0 };
    const { promise: released, resolve: onRelease } = Promise.withResolvers<void>();
    async function* stream() {
      try {
        for await (const chunk of cut(bytes, 100_000)) {
          state.read += chunk.length;
          yield chunk;
        }
      } finally {
        state.released++;
        onRelease();
      }
    }
    return { state, released, stream: stream() };
  }

  test('is released and not read to its end by a consumer that leaves', async () => {
    const { state, stream } = source(packed);
    for await (const _ of decode(stream, compression, { signal: never })) break;
    expect(state.released).toBe(1);
    expect(state.read).toBeLessThan(12 * MiB);
  });

  test('rejects with the reason of the signal, an Error or not', async () => {
    for (const reason of [new Error('enough'), 'enough']) {
      const controller = new AbortController();
      const { state, released, stream } = source(packed);
      const reading = (async () => {
        for await (const _ of decode(stream, compression, { signal: controller.signal }))
          controller.abort(reason);
      })();
      expect(await reading.catch((error: unknown) => error)).toBe(reason);
      await released;
      expect(state.released).toBe(1);
    }
  });

  test('reads nothing when the signal has aborted before', async () => {
    const { state, stream } = source(packed);
    const reading = (async () => {
      for await (const _ of decode(stream, compression, { signal: AbortSignal.abort(new Error('before')) }))
        break;
    })();
    await expect(reading).rejects.toThrow('before');
    expect(state.read).toBe(0);
  });

  test.each([new Error('the source broke'), 'a string'])(
    'throws what the source throws: %s',
    async (thrown) => {
      async function* broken() {
        yield packed.subarray(0, 3 * MiB);
        throw thrown;
      }
      expect(await unpack(broken(), compression).catch((error: unknown) => error)).toBe(thrown);
    },
  );
});

test.each([
  ['gzip', gzipSync(Buffer.alloc(64 * MiB))],
  ['zstd', zstdCompressSync(Buffer.alloc(64 * MiB))],
  ['zstd', Buffer.concat(Array.from({ length: 16 }, () => zstdCompressSync(Buffer.alloc(4 * MiB))))],
] as const)('a bomb of %s is stopped at the limit', async (compression, bomb) => {
  let size = 0;
  const reading = (async () => {
    for await (const chunk of decode(chunks(bomb), compression, { signal: never, maxBytes: 10 * MiB }))
      size += chunk.length;
  })();
  await expect(reading).rejects.toMatchObject({ code: 'LIMIT' });
  expect(size).toBeLessThanOrEqual(10 * MiB);
});

test.each(Array.from({ length: 22 }, (_, i) => i + 1))(
  'zstd level %d: every frame has a checksum, its size, and a window of at most 8 MiB',
  async (level) => {
    const pool = createEncoderPool({ jobs: 2 });
    const body = Buffer.alloc(25 * MiB, 'a text that repeats itself ');
    const parts: Uint8Array[] = [];
    for await (const part of encode(chunks(body), { kind: 'zstd', level }, { signal: never, pool }))
      parts.push(part);
    await pool.close();
    const packed = Buffer.concat(parts);
    let content = 0;
    for (let at = 0; at < packed.length; ) {
      const scanner = new ZstdFrameScanner();
      while (!scanner.done && at < packed.length) at = scanner.push(packed, at);
      expect(scanner.done).toBe(true);
      expect(scanner.header).toMatchObject({ kind: 'frame', checksum: true });
      if (scanner.header?.kind !== 'frame') continue;
      expect(scanner.header.windowSize).toBeLessThanOrEqual(8 * MiB);
      content += scanner.header.contentSize ?? Number.NaN;
    }
    expect(content).toBe(25 * MiB);
  },
);
