import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import type { TarEntry } from '../../src/tar/entry.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { bytesOf, concat, utf8 } from '../support/model/byte-string.ts';
import {
  type EntrySpec,
  encodeEntry,
  gnuLong,
  headerBlock,
  octal,
  padded,
  paxHeader,
  readTar,
  type TarEnd,
  writeTar,
} from '../support/model/tar-bytes.ts';
import { MiB } from '../../src/units.ts';

type Read = TarEntry & { readonly body: Uint8Array };
type Reading = { readonly entries: readonly Read[]; readonly end: string; readonly offset: number };

async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Reads a tar that comes in pieces of these sizes; `skip`: every other body is not looked at. */
async function readAll(tar: Uint8Array, sizes: readonly number[] = [1000], skip = false): Promise<Reading> {
  const reader = new TarReader(pieces(tar, sizes));
  const entries: Read[] = [];
  for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
    const chunks: Uint8Array[] = [];
    if (!skip || entries.length % 2 === 0) for await (const chunk of reader.body()) chunks.push(chunk);
    entries.push({ ...entry, body: concat(chunks) });
  }
  return { entries, end: reader.end, offset: reader.offset };
}

/** Reads what is in hand without waiting, as scans do; the error, if any, comes last. */
async function readNow(bytes: Uint8Array, sizes: readonly number[]): Promise<unknown[]> {
  const reader = new TarReader(pieces(bytes, sizes));
  const read: unknown[] = [];
  try {
    for (;;) {
      const entry = reader.nextNow() ?? (await reader.next());
      if (entry === null) break;
      const chunks: Uint8Array[] = [];
      // Every third body is not looked at.
      while (read.length % 3 > 0 && reader.left > 0)
        chunks.push(reader.takeBodyNow() ?? (await reader.takeBody()) ?? new Uint8Array());
      read.push({ ...entry, head: Buffer.from(entry.head), body: Buffer.concat(chunks) });
    }
    read.push([reader.end, reader.offset, reader.nextNow(), await reader.next()]);
  } catch (error) {
    if (!(error instanceof OcislimError)) throw error;
    read.push(`${error.code} ${error.message}`);
  }
  return read;
}

async function codeOf(tar: Uint8Array): Promise<string> {
  const error = await readAll(tar).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error !== null && !(error instanceof OcislimError)) throw error;
  return error === null ? 'none' : `${error.code} ${error.message}`;
}

const specs: readonly EntrySpec[] = [
  { name: './', type: 'dir' },
  { name: 'empty' },
  { name: 'file', body: bytesOf('x'.repeat(1500)), mode: 0o4755 },
  { name: 'block', body: new Uint8Array(512).fill(1) },
  { name: 'link', type: 'link', linkname: 'file' },
  { name: 'symlink', type: 'symlink', linkname: '../file' },
  { name: 'fifo', type: 'fifo' },
  { name: 'null', type: 'char', devmajor: 1, devminor: 3 },
  { name: 'loop', type: 'block', devmajor: 7 },
  { name: `${'p'.repeat(90)}/${'p'.repeat(90)}`, format: 'ustar' },
  { name: 'x'.repeat(300), body: bytesOf('pax') },
  { name: 'g'.repeat(300), type: 'symlink', linkname: 'k'.repeat(300), format: 'gnu' },
  { name: 'decoyed', body: bytesOf('1'), format: 'pax-all' },
  { name: 'v7/', type: 'dir', format: 'v7' },
  { name: utf8('größe') },
  { name: 'latin\xe9' },
  { name: '', type: 'global', pax: [['comment', 'c']] },
  { name: 'a/sparse', body: bytesOf('data'), sparse: { format: '1.0', size: 9000, map: [[512, 4]] } },
  {
    name: 'gnu-sparse',
    body: new Uint8Array(30).fill(2),
    format: 'gnu',
    sparse: {
      format: 'gnu',
      size: 99_000,
      map: Array.from({ length: 30 }, (_, i) => [i * 1024, 1] as const),
    },
  },
  { name: 'last', body: bytesOf('the end') },
];
const tar = writeTar(specs);

describe('entries', () => {
  test('are what the model reads: kinds, names, targets, modes, sizes and the very bytes', async () => {
    const kinds = { dir: 'directory' } as const;
    const expected = readTar(tar).map((entry) => ({
      kind: entry.type === 'dir' ? kinds.dir : entry.type,
      // A global header describes no file: what its own header is called says nothing.
      name: entry.type === 'global' ? expect.any(String) : entry.name,
      link: entry.linkname,
      mode: entry.type === 'global' ? expect.any(Number) : entry.mode,
    }));
    const { entries, end, offset } = await readAll(tar);
    expect(entries.map(({ kind, name, link, mode }) => ({ kind, name, link, mode }))).toEqual(expected);
    expect([end, offset]).toEqual(['complete', tar.length]);
  });

  test('head and body together are the tar, however it comes in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1 }), async (sizes) => {
        const { entries } = await readAll(tar, sizes);
        const whole = concat(entries.flatMap(({ head, body }) => [head, body]));
        expect(Buffer.compare(whole, tar.subarray(0, tar.length - 1024))).toBe(0);
        for (const { body, size } of entries) expect(body.length).toBe(Math.ceil(size / 512) * 512);
      }),
      { numRuns: 40 },
    );
  });

  test('come one after the other where bodies are not looked at', async () => {
    const names = ({ entries }: Reading) => entries.map(({ name }) => name);
    expect(names(await readAll(tar, [700], true))).toEqual(names(await readAll(tar)));
  });

  test('without a body have none, whatever size their header states', async () => {
    const link = headerBlock({ name: 'l', typeflag: '1', linkname: 'a', size: octal(9000, 12) });
    const directory = headerBlock({ name: 'd/', typeflag: '5', size: octal(512, 12) });
    const { entries } = await readAll(concat([link, directory, writeTar([{ name: 'next' }])]));
    expect(entries.map(({ name, size }) => [name, size])).toEqual([
      ['l', 0],
      ['d/', 0],
      ['next', 0],
    ]);
  });

  test('a PAX size counts, and a GNU name before a PAX path', async () => {
    const header = headerBlock({ name: 'short', size: octal(0, 12) });
    const pax = paxHeader([
      ['size', '3'],
      ['path', 'from-pax'],
    ]);
    const named = concat([pax, header, padded(bytesOf('abc')), tar]);
    expect((await readAll(named)).entries[0]).toMatchObject({ name: 'from-pax', size: 3 });
    const both = concat([gnuLong('L', 'from-gnu'), named]);
    expect((await readAll(both)).entries[0]?.name).toBe('from-gnu');
  });
});

describe('the end', () => {
  const few = specs.slice(0, 4);
  test.each([
    ['blocks', 'complete'],
    ['record', 'complete'],
    ['one-block', 'untidy'],
    ['none', 'untidy'],
    ['untidy', 'untidy'],
  ] as const)('%s is %s', async (how: TarEnd, end) => {
    const bytes = writeTar([...few, { name: 'odd', body: bytesOf('1') }], how);
    const reading = await readAll(bytes);
    expect([reading.end, reading.entries.length, reading.offset]).toEqual([end, 5, bytes.length]);
  });

  test('what follows it is read too, since it counts for the digest', async () => {
    const more = concat([writeTar(few), new Uint8Array(2000), bytesOf('more')]);
    expect(await readAll(more)).toMatchObject({ end: 'garbage', offset: more.length });
  });

  test('of an empty stream', async () => {
    expect(await readAll(new Uint8Array(0))).toEqual({ entries: [], end: 'untidy', offset: 0 });
  });
});

describe('refused', () => {
  const file = encodeEntry({ name: 'f', body: bytesOf('x'.repeat(600)) });
  const zero = new Uint8Array(512);
  test.each<[string, Uint8Array, string]>([
    [
      'a wrong checksum',
      headerBlock({ name: 'f', checksum: 1 }),
      'TAR_INVALID a tar header has a wrong checksum',
    ],
    ['a header cut short', file.subarray(0, 300), 'TAR_INVALID a tar ends in the middle of a header'],
    ['a body cut short', file.subarray(0, 512 + 599), 'TAR_INVALID a tar ends in the middle of a file'],
    [
      'more after one zero block',
      concat([zero, file]),
      'TAR_INVALID a tar goes on after a single zero block',
    ],
    [
      'an extension of nothing',
      concat([paxHeader([['path', 'a']]), zero, zero]),
      'TAR_INVALID a tar extended header belongs to no entry',
    ],
    [
      'an extension before a global header',
      concat([paxHeader([['path', 'a']]), paxHeader([['comment', 'a']], 'g')]),
      'TAR_INVALID a tar extended header stands before a global one',
    ],
    [
      'an unknown type',
      headerBlock({ name: 'f', typeflag: 'Z' }),
      'TAR_INVALID a tar entry has the unknown type "Z"',
    ],
    [
      'a GNU sparse file in a header that is not of GNU tar',
      headerBlock({ name: 'f', typeflag: 'S' }),
      'TAR_INVALID a tar header states a GNU sparse file, but GNU tar did not write it',
    ],
    [
      'an extension above a mebibyte',
      headerBlock({ name: 'x', typeflag: 'x', size: octal(MiB + 1, 12) }),
      'LIMIT a tar extended header is 1048577 bytes long, more than 1048576',
    ],
    [
      'a size that is no number',
      concat([paxHeader([['size', '1e3']]), file]),
      'TAR_INVALID a tar extended header has an unreadable size',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    expect(await codeOf(bytes)).toBe(message);
  });

  test('heads of more than 4 MiB before one entry', async () => {
    const half = paxHeader([['user', 'x'.repeat(600_000)]]);
    expect(await codeOf(concat([...Array<Uint8Array>(8).fill(half), file]))).toBe(
      'LIMIT the headers of a tar entry are longer than 4 MiB',
    );
  });
});

test('the padding of the last file may be missing, and is made up', async () => {
  const bytes = encodeEntry({ name: 'f', body: bytesOf('x'.repeat(600)) }).subarray(0, 512 + 600);
  const { entries, end } = await readAll(bytes);
  expect(end).toBe('untidy');
  expect(entries[0]?.body.length).toBe(1024);
  expect(entries[0]?.body.subarray(600).every((byte) => byte === 0)).toBe(true);
});

test('a reader that is left lets go of its stream', async () => {
  let left = false;
  async function* stream(): AsyncGenerator<Uint8Array> {
    try {
      yield tar;
    } finally {
      left = true;
    }
  }
  const reader = new TarReader(stream());
  await reader.next();
  await reader.cancel();
  expect(left).toBe(true);
});

const damages = fc.oneof(
  fc.constant(tar),
  fc.nat(tar.length - 1).map((at) => tar.subarray(0, at)),
  fc.tuple(fc.nat(tar.length - 1), fc.nat(255)).map(([at, byte]) => {
    const bytes = tar.slice();
    bytes[at] = byte;
    return bytes;
  }),
);

test('where chunks begin and end makes no difference, neither to what is read nor to what is refused', async () => {
  const sizes = fc.oneof(
    fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 }),
    fc.constantFrom([1], [511], [512], [513], [1024], [4096]),
  );
  await fc.assert(
    fc.asyncProperty(damages, sizes, async (bytes, cuts) => {
      expect(await readNow(bytes, cuts)).toEqual(await readNow(bytes, [bytes.length]));
    }),
    { numRuns: 200 },
  );
});

test('a head of thousands of extensions is read in pieces of any size', async () => {
  const extension = paxHeader([['user', 'x']]);
  const bytes = concat([...Array<Uint8Array>(3000).fill(extension), writeTar([{ name: 'f' }])]);
  for (const size of [100, 5000]) {
    const [entry] = (await readAll(bytes, [size])).entries;
    expect([entry?.name, entry?.head.length]).toEqual(['f', 3000 * extension.length + 512]);
  }
});
