import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { type Attributes, readAttributes } from '../../src/tar/attributes.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { concat } from '../support/model/byte-string.ts';
import {
  base256,
  encodeEntry,
  type EntrySpec,
  gnuLong,
  headerBlock,
  paxHeader,
  writeTar,
} from '../support/model/tar-bytes.ts';

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function attributesOf(...blocks: Uint8Array[]): Promise<Attributes> {
  const entry = await new TarReader(once(concat([...blocks, new Uint8Array(1024)]))).next();
  if (entry === null) throw new Error('an empty tar');
  return readAttributes(entry);
}

const of = (spec: EntrySpec): Promise<Attributes> => attributesOf(encodeEntry(spec));

async function refused(...blocks: Uint8Array[]): Promise<boolean> {
  const error: unknown = await attributesOf(...blocks).then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof OcislimError && error.code === 'TAR_INVALID';
}

describe('attributes', () => {
  const spec: EntrySpec = {
    name: 'n'.repeat(200),
    mode: 0o104_755,
    uid: 3_000_000,
    gid: 12,
    uname: 'j\xc3\xb6rg',
    gname: 'g',
    mtime: '1700000000',
    body: Uint8Array.of(1, 2, 3),
  };
  const expected = {
    mode: 0o4755,
    uid: '3000000',
    gid: '12',
    uname: 'j\xc3\xb6rg',
    gname: 'g',
    mtime: '1700000000',
    device: '',
    sparse: null,
  };

  test.each(['gnu', 'pax', 'pax-all'] as const)('in a head of the format %s', async (format) => {
    const { records, ...rest } = await of({ ...spec, format });
    expect(rest).toEqual(expected);
    expect([...records]).toEqual([]);
  });

  test('V7 headers have neither owner names nor device numbers', async () => {
    const head = { name: 'a', magic: '', uname: 'junk', gname: 'junk' };
    expect(await attributesOf(headerBlock(head))).toMatchObject({ uname: '', gname: '' });
    expect(await attributesOf(headerBlock({ ...head, typeflag: '3' }))).toMatchObject({ device: '' });
  });

  test('only devices have numbers', async () => {
    expect((await of({ name: 'a', type: 'block', devmajor: 8, devminor: 2_097_151 })).device).toBe(
      '8,2097151',
    );
    expect((await of({ name: 'a', type: 'fifo', devmajor: 8, devminor: 1 })).device).toBe('');
  });

  test.each([
    ['1', '1'],
    ['1.', '1'],
    ['01.50', '1.5'],
    ['-0', '0'],
    ['-0.0000000010', '-0.000000001'],
    ['+7.25', '7.25'],
    ['1700000000.123456789123', '1700000000.123456789123'],
  ])('the PAX time %s is %s', async (written, read) => {
    expect((await attributesOf(paxHeader([['mtime', written]]), headerBlock({ name: 'a' }))).mtime).toBe(
      read,
    );
  });

  test('times before 1970 in a header', async () => {
    expect((await attributesOf(headerBlock({ name: 'a', mtime: base256(-5, 12) }))).mtime).toBe('-5');
  });

  test.each(['', 'x', '.5', '1,5', '1e3', ' 1', '1'.repeat(21)].filter((text) => text !== ''))(
    '%j is refused as a time',
    async (text) => {
      expect(await refused(paxHeader([['mtime', text]]), headerBlock({ name: 'a' }))).toBe(true);
    },
  );

  test.each(['0x1', '1.5', '-', '9'.repeat(21)])('%j is refused as an owner', async (text) => {
    expect(await refused(paxHeader([['uid', text]]), headerBlock({ name: 'a' }))).toBe(true);
    expect(await refused(paxHeader([['gid', text]]), headerBlock({ name: 'a' }))).toBe(true);
  });

  test('an empty record means what the header says; of several headers the last one counts', async () => {
    const head = headerBlock({ name: 'a', uname: 'root' });
    expect((await attributesOf(paxHeader([['uname', '']]), head)).uname).toBe('root');
    const two = [
      paxHeader([
        ['uname', 'x'],
        ['uid', '5'],
      ]),
      gnuLong('L', 'long'),
      paxHeader([['gid', '+6']]),
    ];
    expect(await attributesOf(...two, head)).toMatchObject({ uname: 'root', uid: '0', gid: '6' });
  });

  test('every other record is an attribute, the last of each key, in order', async () => {
    const records: [string, string][] = [
      ['SCHILY.xattr.user.b', '1'],
      ['SCHILY.xattr.user.a', ''],
      ['SCHILY.xattr.user.b', '\0\xff=\n'],
      ['RHT.security.selinux', 's'],
      ['path', 'p'],
      ['atime', '1'],
      ['comment', 'c'],
    ];
    const read = await attributesOf(paxHeader(records), headerBlock({ name: 'a' }));
    expect([...read.records]).toEqual([
      ['RHT.security.selinux', 's'],
      ['SCHILY.xattr.user.a', ''],
      ['SCHILY.xattr.user.b', '\0\xff=\n'],
    ]);
  });
});

describe('sparse forms', () => {
  const map = Array.from({ length: 30 }, (_, i): [number, number] => [i * 1024, 1]);
  const pieces = map.map(([offset, length]) => ({ offset, length }));
  const sparse = (format: 'gnu' | '0.0' | '0.1' | '1.0'): EntrySpec => ({
    name: 'd/s',
    sparse: { format, size: 40_000, map },
    body: new Uint8Array(30).fill(7),
    format: format === 'gnu' ? 'gnu' : 'pax',
  });

  test.each([
    ['gnu', { format: 'GNU', size: 40_000, pieces }],
    ['0.0', { format: 'PAX 0', size: 40_000, pieces }],
    ['0.1', { format: 'PAX 0', size: 40_000, pieces }],
    ['1.0', { format: 'PAX 1.0', size: 40_000, pieces: null }],
  ] as const)('tell the sparse form of version %s', async (format, expected) => {
    expect((await of(sparse(format))).sparse).toEqual(expected);
  });

  test('an unknown version is a plain file, as Go has it', async () => {
    const records: [string, string][] = [
      ['GNU.sparse.major', '2'],
      ['GNU.sparse.minor', '0'],
    ];
    expect((await attributesOf(paxHeader(records), headerBlock({ name: 'a' }))).sparse).toBeNull();
  });

  test.each([
    [
      [
        ['GNU.sparse.map', '0,1,2'],
        ['GNU.sparse.numblocks', '1'],
      ],
    ],
    [
      [
        ['GNU.sparse.map', '0,1'],
        ['GNU.sparse.numblocks', '2'],
      ],
    ],
    [[['GNU.sparse.map', '0,1']]],
    [
      [
        ['GNU.sparse.map', '0,-1'],
        ['GNU.sparse.numblocks', '1'],
      ],
    ],
    [
      [
        ['GNU.sparse.numbytes', '1'],
        ['GNU.sparse.offset', '0'],
        ['GNU.sparse.numblocks', '1'],
      ],
    ],
    [
      [
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', 'x'],
      ],
    ],
  ] as [string, string][][][])('%j has no sense', async (records) => {
    expect(await refused(paxHeader(records), headerBlock({ name: 'a' }))).toBe(true);
  });
});

test('entries read one after the other have their own attributes', async () => {
  const tar = writeTar([
    { name: 'a', uid: 1, xattrs: { 'user.x': '1' } },
    { name: 'b', uid: 2 },
  ]);
  const reader = new TarReader(once(tar));
  const read: [string, number][] = [];
  for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
    const { uid, records } = readAttributes(entry);
    read.push([uid, records.size]);
  }
  expect(read).toEqual([
    ['1', 1],
    ['2', 0],
  ]);
});
