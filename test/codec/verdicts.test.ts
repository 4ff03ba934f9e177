import { Buffer } from 'node:buffer';
import { constants, crc32, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { decode } from '../../src/codec/decode.ts';
import { UnpackThreads } from '../../src/codec/unpack/threads.ts';
import { OcislimError } from '../../src/errors.ts';
import { engines } from '../support/engines.ts';
import { digestOf } from '../support/image-builder.ts';
import { MiB } from '../../src/units.ts';

// Each stream has one verdict, with and without the native engine, in this thread and in another, in one chunk and byte by byte, on
// each Node that is supported (CI runs this file on all of them). Streams that Go's readers refuse are refused.

type Packed = 'gzip' | 'zstd';
const { signal } = new AbortController();
const judges = engines.map(({ native, path }) => ({
  native,
  threads: new UnpackThreads(1, { native: () => path }),
}));
afterAll(() => Promise.all(judges.map(({ threads }) => threads.close())));

async function* cut(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield new Uint8Array(bytes.subarray(at, at + size));
}

async function verdict(work: () => AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of work()) chunks.push(chunk.slice());
  } catch (error) {
    if (!(error instanceof OcislimError)) throw error;
    return `${error.code}: ${error.message}`;
  }
  return `whole: ${Buffer.concat(chunks).toString('latin1')}`;
}

/** Returns the verdict, which must be the same in every way. */
async function judge(bytes: Uint8Array, compression: Packed): Promise<string> {
  const verdicts = new Set<string>();
  for (const { native, threads } of compression === 'gzip' ? judges : judges.slice(0, 1)) {
    const options = { signal, native };
    verdicts.add(await verdict(() => decode(cut(bytes, MiB), compression, options)));
    verdicts.add(await verdict(() => decode(cut(bytes, 1), compression, options)));
    const unpacking = threads.open(cut(bytes, MiB), { compression, hash: 'sha256', signal });
    const threaded = await verdict(() => unpacking.chunks());
    if (threaded.startsWith('whole: '))
      expect(unpacking.digest()).toBe(digestOf(Buffer.from(threaded.slice(7), 'latin1')));
    await unpacking.close();
    verdicts.add(threaded);
  }
  const [first = '', ...others] = verdicts;
  expect(others, `another verdict than ${first}`).toEqual([]);
  return first;
}

function member(body: string, flags = 0, fields: readonly Uint8Array[] = []): Buffer {
  const head = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]), ...fields]);
  const check = Buffer.alloc(flags & 2 ? 2 : 0);
  if (flags & 2) check.writeUInt16LE(crc32(head) & 0xffff);
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc32(body), 0);
  tail.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, check, deflateRawSync(body), tail]);
}

const text = (value: string) => Buffer.from(`${value}\0`);
const extra = Buffer.concat([Buffer.from([5, 0]), Buffer.from('SGxyz')]);
const gzips: Readonly<Record<string, Buffer>> = {
  plain: member('plain '),
  'stored block': gzipSync('stored ', { level: 0 }),
  'dynamic block': gzipSync('many words that are packed, '.repeat(9), { level: 9 }),
  'with extra field': member('extra ', 0x04, [extra]),
  'with name': member('name ', 0x08, [text('a name')]),
  'with comment': member('comment ', 0x10, [text('a comment')]),
  'with header checksum': member('check ', 0x02),
  'with everything': member('all ', 0x1e, [extra, text('n'), text('c')]),
  empty: gzipSync(''),
};

const magic = [0x28, 0xb5, 0x2f, 0xfd];
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const raw = (body: string, last: boolean) => {
  const head = Buffer.alloc(3);
  head.writeUIntLE((body.length << 3) | (last ? 1 : 0), 0, 3);
  return Buffer.concat([head, Buffer.from(body)]);
};
const params = (values: Readonly<Record<number, number>>) => ({ params: values });
const zstds: Readonly<Record<string, Buffer>> = {
  plain: zstdCompressSync('plain '),
  'with checksum': zstdCompressSync('checksum ', params({ [constants.ZSTD_c_checksumFlag]: 1 })),
  'without content size': zstdCompressSync('no size ', params({ [constants.ZSTD_c_contentSizeFlag]: 0 })),
  'without size, with checksum': zstdCompressSync(
    'neither ',
    params({ [constants.ZSTD_c_contentSizeFlag]: 0, [constants.ZSTD_c_checksumFlag]: 1 }),
  ),
  'compressed block': zstdCompressSync('many words that are packed, '.repeat(20)),
  'several raw blocks': Buffer.concat([
    Buffer.from([...magic, 0x00, 0x50]),
    raw('one ', false),
    raw('', false),
    raw('two ', true),
  ]),
  'RLE block': Buffer.from([...magic, 0x20, 7, (7 << 3) | 3, 0, 0, 0x72]),
  empty: zstdCompressSync(''),
  'empty, without size': zstdCompressSync('', params({ [constants.ZSTD_c_contentSizeFlag]: 0 })),
};

const contents = {
  gzip: Object.fromEntries(
    Object.entries({
      plain: 'plain ',
      'stored block': 'stored ',
      'dynamic block': 'many words that are packed, '.repeat(9),
      'with extra field': 'extra ',
      'with name': 'name ',
      'with comment': 'comment ',
      'with header checksum': 'check ',
      'with everything': 'all ',
      empty: '',
    }),
  ),
  zstd: {
    plain: 'plain ',
    'with checksum': 'checksum ',
    'without content size': 'no size ',
    'without size, with checksum': 'neither ',
    'compressed block': 'many words that are packed, '.repeat(20),
    'several raw blocks': 'one two ',
    'RLE block': 'rrrrrrr',
    empty: '',
    'empty, without size': '',
  },
} as Readonly<Record<Packed, Readonly<Record<string, string>>>>;

const kinds = (['gzip', 'zstd'] as const).flatMap((compression) =>
  Object.entries(compression === 'gzip' ? gzips : zstds).map(
    ([name, packed]) => [compression, name, packed] as const,
  ),
);

describe.each(kinds)('T10: a stream of %s (%s)', (compression, name, packed) => {
  const content = contents[compression][name] ?? '';

  test('unpacks alone, twice, and with any other behind it', async () => {
    expect(await judge(packed, compression)).toBe(`whole: ${content}`);
    const others = kinds.filter(([kind]) => kind === compression);
    const all = Buffer.concat([packed, ...others.map(([, , bytes]) => bytes), packed]);
    const whole = others.map(([, each]) => contents[compression][each]).join('');
    expect(await judge(all, compression)).toBe(`whole: ${content}${whole}${content}`);
  });

  test('is damaged when cut off at any byte, alone and behind another', async () => {
    for (let length = 0; length < packed.length; length++) {
      const short = packed.subarray(0, length);
      const words = new RegExp(
        `^CODEC: the ${compression} stream is (?:${length === 0 ? 'empty' : 'cut off'})$`,
      );
      expect(await judge(short, compression), `${length} bytes`).toMatch(words);
      if (length > 0)
        expect(await judge(Buffer.concat([packed, short]), compression), `${length} bytes`).toMatch(
          /^CODEC: /,
        );
    }
  });

  test.each([1, 3, 4, 8, 512])('%d zeros or other bytes behind a stream are damage', async (count) => {
    for (const stray of [Buffer.alloc(count), Buffer.alloc(count, 0x41)])
      expect(await judge(Buffer.concat([packed, stray]), compression)).toMatch(/^CODEC: /);
  });

  test('with a flipped bit is damaged, or unpacks to the same bytes', async () => {
    const counts = { damage: 0, same: 0 };
    for (let bit = 0; bit < packed.length * 8; bit += 3) {
      const altered = Buffer.from(packed);
      altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
      const found = await judge(altered, compression);
      if (!found.startsWith('whole')) counts.damage++;
      else if (found === `whole: ${content}`) counts.same++;
      // Only a stream without a checksum may change, and its DiffID is checked later.
      else if (compression === 'gzip' || name.endsWith('checksum'))
        expect(found, `bit ${bit}`).toBe('damage');
    }
    expect(counts.damage).toBeGreaterThan(0);
  });
});

test('T10: a bad checksum after good data is found, also with good data behind it', async () => {
  for (const [compression, good] of [
    ['gzip', gzips['dynamic block'] as Buffer],
    ['zstd', zstds['with checksum'] as Buffer],
  ] as const) {
    const bad = Buffer.from(good);
    const at = bad.length - (compression === 'gzip' ? 8 : 4);
    bad[at] = (bad[at] as number) ^ 1;
    expect(await judge(Buffer.concat([good, bad]), compression)).toMatch(/^CODEC: .*checksum/);
    expect(await judge(Buffer.concat([good, bad, good]), compression)).toMatch(/^CODEC: .*checksum/);
  }
});

test('T10: skippable frames may stand anywhere, and alone unpack to nothing', async () => {
  const frame = zstds['with checksum'] as Buffer;
  const empty = zstds['empty'] as Buffer;
  expect(await judge(skippable, 'zstd')).toBe('whole: ');
  expect(
    await judge(Buffer.concat([skippable, skippable, frame, skippable, empty, frame, skippable]), 'zstd'),
  ).toBe('whole: checksum checksum ');
  for (let length = 1; length < skippable.length; length++)
    expect(await judge(Buffer.concat([frame, skippable.subarray(0, length)]), 'zstd')).toMatch(
      /^CODEC: .*cut off/,
    );
});

test('T10: two thousand frames or members of a few bytes unpack', async () => {
  for (const [compression, packed] of [
    ['gzip', gzipSync('ab')],
    ['zstd', zstdCompressSync('ab')],
  ] as const)
    expect(await judge(Buffer.concat(Array.from({ length: 2000 }, () => packed)), compression)).toBe(
      `whole: ${'ab'.repeat(2000)}`,
    );
});
