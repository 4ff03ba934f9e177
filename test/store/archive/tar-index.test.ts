import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { extract, pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { memberHead } from '../../../src/store/archive/tar-member.ts';
import { type Extent, TarIndex } from '../../../src/store/archive/tar-index.ts';
import { readSmallFile } from '../../../src/files/file-bytes.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { concat } from '../../../src/stream/collect.ts';
import { parseHeader } from '../../../src/tar/header.ts';
import { type EntrySpec, gnuLong, paxHeader, readTar, writeTar } from '../../support/model/tar-bytes.ts';
import { drain, never } from '../../support/registry/setup.ts';
import { afterwards, newFolder, refused } from '../../support/store/local.ts';
import { GiB } from '../../../src/units.ts';
import { b } from '../../support/bytes.ts';

const text = (words: string) => new TextEncoder().encode(words);

async function indexOf(tar: Uint8Array): Promise<{ index: TarIndex; read: (name: string) => string | null }> {
  const path = join(await newFolder(), 'a.tar');
  await writeFile(path, tar);
  const handle = await open(path);
  afterwards(() => handle.close());
  const index = await TarIndex.read({ handle, size: tar.length, label: 'an archive' }, defaultLimits, never);
  const bytes = (extent: Extent | null) =>
    extent === null ? null : Buffer.from(tar.subarray(extent.offset, extent.offset + extent.size)).toString();
  return { index, read: (name) => bytes(index.find(name)) };
}

const long = `${'deep/'.repeat(60)}file`;

describe('an index of a tar', () => {
  test.each(['ustar', 'gnu', 'pax', 'pax-all'] as const)('finds members of %s archives', async (format) => {
    const { read } = await indexOf(
      writeTar([
        { name: './a/', type: 'dir', format },
        { name: './a/one', body: text('first'), format },
        { name: 'two', body: text('x'.repeat(600)), format },
        ...(format === 'ustar' ? [] : [{ name: long, body: text('far'), format }]),
        { name: 'three', body: text('third'), format },
      ]),
    );
    expect(read('a/one')).toBe('first');
    expect(read('two')).toBe('x'.repeat(600));
    expect(read('three')).toBe('third');
    expect(read(long)).toBe(format === 'ustar' ? null : 'far');
    expect(read('a')).toBeNull();
    expect(read('four')).toBeNull();
  });

  test('ignores an empty long name', async () => {
    const body = text('first');
    const { read } = await indexOf(
      concat([gnuLong('L', ''), writeTar([{ name: 'one', body, format: 'gnu' }])]),
    );
    expect(read('one')).toBe('first');
  });

  test('follows links, which never lead out of the archive', async () => {
    const { read } = await indexOf(
      writeTar([
        { name: 'data', body: text('here') },
        { name: 'x/soft', type: 'symlink', linkname: '../data' },
        { name: 'x/soft2', type: 'symlink', linkname: 'soft' },
        { name: 'hard', type: 'link', linkname: 'x/soft2' },
        { name: 'top', type: 'symlink', linkname: '/data' },
        { name: 'climb', type: 'symlink', linkname: '../../../etc/passwd' },
        { name: 'dangling', type: 'symlink', linkname: 'nowhere' },
      ]),
    );
    for (const name of ['x/soft', 'x/soft2', 'hard', 'top']) expect(read(name)).toBe('here');
    expect(read('climb')).toBeNull();
    expect(read('dangling')).toBeNull();
  });

  test.each([
    ['/a/one', 'a/one'],
    ['./a/one', '/a/one'],
    ['a/one', './a//one'],
    ['x/../a/one', 'a/one'],
    ['a/one', 'b/../a/one'],
    ['ä/ö', './ä/ö'],
  ])('takes %j and %j for one name', async (member, asked) => {
    for (const format of ['gnu', 'pax'] as const) {
      const { read } = await indexOf(
        writeTar([{ name: Buffer.from(member).toString('latin1'), body: text('here'), format }]),
      );
      expect(read(asked)).toBe('here');
    }
  });

  test('has no member whose name leads out of the archive, and refuses to look for one', async () => {
    const { read } = await indexOf(
      writeTar([
        { name: '../a', body: text('above') },
        { name: 'x/../../a', body: text('above') },
        { name: 'link', type: 'symlink', linkname: '../a' },
      ]),
    );
    expect(read('a')).toBeNull();
    expect(read('link')).toBeNull();
    for (const name of ['../a', 'x/../../a', '/../a'])
      expect(() => read(name)).toThrow('leads out of the archive');
  });

  test('finds the last member of a name, and refuses two where the name must be unique', async () => {
    const { index, read } = await indexOf(
      writeTar([
        { name: 'a', body: text('old') },
        { name: './a', body: text('new') },
      ]),
    );
    expect(read('a')).toBe('new');
    expect(() => index.findUnique('a')).toThrow('twice');
  });

  test('finds what another tar reader finds', async () => {
    const name = fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,60}){0,4}$/);
    const entry = fc.record({
      name,
      body: fc.uint8Array({ maxLength: 1200 }),
      format: fc.constantFrom('gnu' as const, 'pax' as const, 'pax-all' as const),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(entry, { selector: (each) => each.name, maxLength: 8 }),
        async (entries) => {
          const tar = writeTar(entries satisfies EntrySpec[]);
          const { read } = await indexOf(tar);
          for (const each of readTar(tar)) expect(read(each.name)).toBe(Buffer.from(each.body).toString());
        },
      ),
      { numRuns: 40 },
    );
  });

  test('needs no end mark', async () => {
    expect((await indexOf(writeTar([{ name: 'a', body: text('x') }], 'none'))).read('a')).toBe('x');
    expect((await indexOf(writeTar([{ name: 'a', body: text('x') }], 'untidy'))).read('a')).toBe('x');
  });
});

describe('an index is refused', () => {
  const tar = writeTar([{ name: 'a', body: text('x'.repeat(2000)) }]);

  test('for links in a circle', async () => {
    const { index } = await indexOf(
      writeTar([
        { name: 'a', type: 'symlink', linkname: 'b' },
        { name: 'b', type: 'symlink', linkname: 'a' },
      ]),
    );
    expect(() => index.find('a')).toThrow('leads nowhere');
  });

  test('for a truncated archive', async () => {
    expect(await refused('ARCHIVE_INVALID', indexOf(tar.subarray(0, 1500)))).toContain('truncated');
    await refused('ARCHIVE_INVALID', indexOf(tar.subarray(0, 300)));
    const pax = writeTar([{ name: long, body: text('x'), format: 'pax' }]);
    await refused('ARCHIVE_INVALID', indexOf(pax.subarray(0, 600)));
  });

  test.each(['1e1', '0x10', ' 1', '-1', '1.0', '99999999999999999999'])(
    'for a PAX size of %j',
    async (size) => {
      const sized = concat([
        paxHeader([['size', size]]),
        writeTar([{ name: 'one', body: text('x'.repeat(16)) }]),
      ]);
      await refused('ARCHIVE_INVALID', indexOf(sized));
    },
  );

  test('for bytes that are not a tar', async () => {
    await refused('ARCHIVE_INVALID', indexOf(Buffer.alloc(2048, 'x')));
    const broken = Buffer.from(tar);
    broken[0] = 0x62;
    await refused('ARCHIVE_INVALID', indexOf(broken));
  });
});

describe('headers of members', () => {
  test('are read by two other readers', async () => {
    const name = `blobs/sha256/${'0123456789abcdef'.repeat(4)}`;
    const longer = `blobs/sha512/${'0123456789abcdef'.repeat(8)}`;
    const body = text('x'.repeat(700));
    const tar = concat([
      memberHead(b('blobs/'), 0),
      memberHead(b(name), body.length),
      body,
      new Uint8Array(1024 - body.length),
      memberHead(b(longer), body.length),
      body,
      new Uint8Array(1024 - body.length),
      new Uint8Array(1024),
    ]);
    expect(
      readTar(tar).map((each) => [each.name, each.type, each.mode, each.uid, each.mtime, each.size]),
    ).toEqual([
      ['blobs/', 'dir', 0o755, 0, '0', 0],
      [name, 'file', 0o644, 0, '0', 700],
      [longer, 'file', 0o644, 0, '0', 700],
    ]);
    const seen: string[] = [];
    const reader = extract();
    reader.end(tar);
    for await (const each of reader) {
      seen.push(`${each.header.name} ${each.header.type} ${each.header.size}`);
      each.resume();
    }
    expect(seen).toEqual(
      ['blobs directory 0', `${name} file 700`, `${longer} file 700`].map((line) =>
        line.replace('blobs ', 'blobs/ '),
      ),
    );
  });

  test.each([8 ** 11 - 1, 8 ** 11, 10 * GiB, Number.MAX_SAFE_INTEGER])('can state a size of %d', (size) => {
    expect(parseHeader(memberHead(b('blobs/sha256/x'), size)).size).toBe(size);
  });
});

test('an archive of tar-stream is read too', async () => {
  const packing = pack();
  packing.entry({ name: 'manifest.json' }, '[]');
  packing.entry({ name: long }, 'far');
  packing.finalize();
  const tar = await drain(packing as AsyncIterable<Uint8Array>);
  const { read } = await indexOf(tar);
  expect(read('manifest.json')).toBe('[]');
  expect(read(long)).toBe('far');
  expect(await readSmallFile(join(await newFolder(), 'none'), 10, never)).toBeNull();
});
