import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { extract, type Header, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { layerStack } from './arbitrary/layers.ts';
import { byteString, bytesOf, concat, show, utf8 } from './model/byte-string.ts';
import { GNU_TAR_SAMPLES } from './model/gnu-tar-samples.ts';
import {
  base256,
  encodeEntry,
  type EntrySpec,
  gnuLong,
  type HeadFormat,
  headerBlock,
  octal,
  paxHeader,
  paxRecord,
  readTar,
  readWholeTar,
  type SparseFormat,
  writeTar,
} from './model/tar-bytes.ts';

const data = bytesOf('hello');

function only(tar: Uint8Array) {
  const [entry, ...others] = readTar(tar);
  if (entry === undefined || others.length > 0) throw new Error(`${others.length} entries too many`);
  return entry;
}

async function byTarStream(tar: Uint8Array): Promise<{ header: Header; body: string }[]> {
  const found: { header: Header; body: string }[] = [];
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) {
    const parts: Uint8Array[] = [];
    for await (const part of entry) parts.push(part as Uint8Array);
    found.push({ header: entry.header, body: byteString(concat(parts)) });
  }
  return found;
}

describe('writing', () => {
  it('puts each field where ustar has it', () => {
    const block = encodeEntry({
      name: 'dir/file',
      mode: 0o4755,
      uid: 1000,
      gid: 8,
      uname: 'u',
      gname: 'g',
      mtime: '8',
      body: data,
    }).subarray(0, 512);
    const text = byteString(block);
    expect(text.slice(0, 10)).toBe('dir/file\0\0');
    expect(text.slice(100, 148)).toBe('0004755\x000001750\x000000010\x0000000000005\x0000000000010\0');
    expect(text.slice(156, 158)).toBe('0\0');
    expect(text.slice(257, 267)).toBe('ustar\x0000u\0');
    expect(text.slice(297, 299)).toBe('g\0');
    const sum = [...block].reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    expect(text.slice(148, 156)).toBe(`${sum.toString(8).padStart(6, '0')}\0 `);
  });

  it('counts a PAX record with its own length', () => {
    expect(paxRecord('path', 'a')).toBe('9 path=a\n');
    expect(paxRecord('k', 'x'.repeat(4))).toBe('9 k=xxxx\n');
    expect(paxRecord('k', 'x'.repeat(5))).toBe('11 k=xxxxx\n');
    for (let n = 0; n < 300; n += 1) {
      const record = paxRecord('key', 'v'.repeat(n));
      expect(Number(record.split(' ')[0])).toBe(record.length);
    }
  });

  it('writes base-256 in two’s complement', () => {
    expect([...base256(3_000_000, 8)]).toEqual([0x80, 0, 0, 0, 0, 0x2d, 0xc6, 0xc0]);
    expect([...base256(-1, 12)]).toEqual(Array.from({ length: 12 }, () => 0xff));
    expect([...base256(-2, 12)].at(-1)).toBe(0xfe);
  });

  it('splits long names for ustar, and refuses what ustar and v7 cannot say', () => {
    const split = `${'p'.repeat(150)}/${'n'.repeat(90)}`;
    expect(only(encodeEntry({ name: split, format: 'ustar' })).name).toBe(split);
    expect(byteString(encodeEntry({ name: split, format: 'ustar' }).subarray(345, 495))).toBe(
      'p'.repeat(150),
    );
    const refused: EntrySpec[] = [
      { name: 'n'.repeat(101), format: 'ustar' },
      { name: split, format: 'v7' },
      { name: 'a', uid: 3_000_000, format: 'ustar' },
      { name: 'a', mtime: '-1', format: 'ustar' },
      { name: 'a', mtime: '1.5', format: 'ustar' },
      { name: 'a', xattrs: { 'user.a': 'b' }, format: 'ustar' },
      { name: 'a', uname: 'u', format: 'v7' },
      { name: 'a', type: 'fifo', format: 'v7' },
      { name: 'a', type: 'dir', format: 'v7' },
      { name: 'a', sparse: { format: 'gnu', size: 0, map: [] }, format: 'pax' },
      { name: 'a', sparse: { format: '1.0', size: 0, map: [] }, format: 'gnu' },
    ];
    for (const spec of refused)
      expect(() => encodeEntry(spec), show(JSON.stringify(spec))).toThrow(RangeError);
  });

  it('ends a tar in each way', () => {
    const spec: EntrySpec = { name: 'a', body: data };
    expect(writeTar([spec], 'blocks')).toHaveLength(2048);
    expect(writeTar([spec], 'one-block')).toHaveLength(1536);
    expect(writeTar([spec], 'none')).toHaveLength(1024);
    expect(writeTar([spec], 'untidy')).toHaveLength(517);
    expect(writeTar([spec], 'record')).toHaveLength(10_240);
    expect(writeTar([], 'untidy')).toHaveLength(0);
    for (const end of ['blocks', 'one-block', 'none', 'untidy', 'record'] as const) {
      const reading = readWholeTar(writeTar([spec], end));
      expect(reading.entries.map((entry) => entry.content)).toEqual(['5 bytes @0 hello']);
      expect(reading.complete, end).toBe(end === 'blocks' || end === 'record');
      expect(reading.trailing).toHaveLength(0);
    }
  });
});

describe('reading back what was written', () => {
  const full: EntrySpec = {
    name: `${'d'.repeat(60)}/${'\xff'.repeat(60)}`,
    mode: 0o6711,
    uid: 3_000_000,
    gid: 2_097_152,
    uname: utf8('jörg'),
    gname: 'g'.repeat(40),
    mtime: '-1.5',
    xattrs: { 'security.capability': '\x01\0=\n\xff', 'user.a b': '12 k=v\n' },
    body: data,
  };

  it.each(['pax', 'pax-all', 'gnu'] satisfies HeadFormat[])('everything, as %s', (format) => {
    const entry = only(encodeEntry({ ...full, format }));
    expect(entry).toMatchObject({
      name: full.name,
      type: 'file',
      mode: 0o6711,
      uid: 3_000_000,
      gid: 2_097_152,
      uname: 'j\xc3\xb6rg',
      gname: 'g'.repeat(40),
      mtime: '-1.5',
      size: 5,
      content: '5 bytes @0 hello',
    });
    expect([...entry.xattrs]).toEqual(Object.entries(full.xattrs ?? {}));
  });

  it.each([
    ['gnu', -1n],
    ['gnu', 8_589_934_592n],
    ['pax', -1n],
    ['ustar', 8_589_934_591n],
  ] as const)('a whole second in %s: %s', (format, second) => {
    expect(only(encodeEntry({ name: 'a', mtime: String(second), format })).mtime).toBe(String(second));
  });

  it('links, devices, fifos, directories', () => {
    const long = 't'.repeat(130);
    const entries = readTar(
      writeTar([
        { name: 's', type: 'symlink', linkname: long, format: 'gnu' },
        { name: 'n'.repeat(101), type: 'link', linkname: long, format: 'pax-all' },
        { name: 'c', type: 'char', devmajor: 1, devminor: 3 },
        { name: 'b', type: 'block', devmajor: 8, devminor: 16, format: 'gnu' },
        { name: 'f', type: 'fifo' },
        { name: 'd/', type: 'dir', format: 'v7' },
        { name: 'seven', typeflag: '7', body: data },
        { name: 'zero', typeflag: '\0', body: data },
      ]),
    );
    expect(
      entries.map(({ type, typeflag, linkname, devmajor, devminor }) => [
        type,
        typeflag,
        linkname,
        devmajor,
        devminor,
      ]),
    ).toEqual([
      ['symlink', '2', long, 0, 0],
      ['link', '1', long, 0, 0],
      ['char', '3', '', 1, 3],
      ['block', '4', '', 8, 16],
      ['fifo', '6', '', 0, 0],
      ['dir', '\0', '', 0, 0],
      ['file', '7', '', 0, 0],
      ['file', '\0', '', 0, 0],
    ]);
  });

  it('has the content of a sparse file equal to that of the same file written whole', () => {
    const pieces = Array.from({ length: 30 }, (_, i): [number, number] => [i * 1000 + 17, 5]);
    const size = 40_000;
    const whole = new Uint8Array(size);
    for (const [offset] of pieces) whole.set(data, offset);
    const dense = only(encodeEntry({ name: 'a', body: whole }));
    const body = concat(pieces.map(() => data));
    for (const format of ['gnu', '0.0', '0.1', '1.0'] satisfies SparseFormat[]) {
      const head: HeadFormat = format === 'gnu' ? 'gnu' : 'pax';
      const tar = encodeEntry({ name: 'dir/a', body, sparse: { format, size, map: pieces }, format: head });
      const entry = only(tar);
      expect(entry.name).toBe('dir/a');
      expect(entry.content).toBe(dense.content);
      expect(entry.sparse).toEqual(pieces);
      const other = encodeEntry({
        name: 'a',
        body,
        sparse: { format, size: size + 1, map: pieces },
        format: head,
      });
      expect(only(other).content).not.toBe(dense.content);
    }
  });

  it('has heads and bodies that make up the archive', () => {
    fc.assert(
      fc.property(layerStack({ maxLayers: 2 }), ({ layers }) => {
        for (const { tar, model, entries } of layers) {
          expect(model).toHaveLength(entries.length);
          const blocks = model.map(({ head, body }) =>
            concat([head, body, new Uint8Array(-body.length & 511)]),
          );
          const all = concat(blocks);
          expect(byteString(all).startsWith(byteString(tar.subarray(0, all.length)))).toBe(true);
          expect(tar.subarray(all.length).every((byte) => byte === 0)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('reading', () => {
  it('applies no global header, and yields it', () => {
    const tar = concat([
      paxHeader(
        [
          ['path', 'other'],
          ['uid', '5'],
        ],
        'g',
      ),
      encodeEntry({ name: 'a' }),
    ]);
    const [global, entry] = readTar(tar);
    expect(global?.type).toBe('global');
    expect(global?.pax.get('path')).toBe('other');
    expect(entry).toMatchObject({ name: 'a', uid: 0 });
  });

  it('ignores the size field of a link', () => {
    const link = headerBlock({ name: 'l', typeflag: '1', linkname: 'a', size: octal(700, 12) });
    const entries = readTar(concat([encodeEntry({ name: 'a' }), link, encodeEntry({ name: 'b' })]));
    expect(entries.map(({ name }) => name)).toEqual(['a', 'l', 'b']);
  });

  it('keeps the prefix of ustar, and a field of GNU times that holds none; stops at a NUL', () => {
    const prefix = [345, bytesOf('p')] as const;
    expect(only(headerBlock({ name: 'a\0rest', patches: [prefix] })).name).toBe('p/a');
    expect(only(headerBlock({ name: 'a', magic: 'ustar  \0', patches: [prefix] })).name).toBe('p/a');
    const time = [345, bytesOf('01234567012\0')] as const;
    expect(only(headerBlock({ name: 'a', magic: 'ustar  \0', patches: [time] })).name).toBe('a');
  });

  it.each([
    ['1700000000', '1700000000'],
    ['1700000000.100', '1700000000.1'],
    ['-0.0', '0'],
    ['-0.50', '-0.5'],
    ['007.0', '7'],
    ['.5', '0.5'],
  ])('takes the time %s for %s', (text, canonical) => {
    const tar = concat([paxHeader([['mtime', text]]), encodeEntry({ name: 'a' })]);
    expect(only(tar).mtime).toBe(canonical);
  });

  it('takes the last of two records, and an empty one for none', () => {
    const records = [
      ['path', 'x'],
      ['path', 'y'],
      ['uid', ''],
      ['gid', '7'],
    ] as const;
    expect(only(concat([paxHeader(records), encodeEntry({ name: 'a', uid: 3 })]))).toMatchObject({
      name: 'y',
      uid: 3,
      gid: 7,
    });
  });

  it.each([
    ['a wrong checksum', headerBlock({ name: 'a', checksum: 1 })],
    ['a cut header', headerBlock({ name: 'a' }).subarray(0, 300)],
    ['a cut body', encodeEntry({ name: 'a', body: data }).subarray(0, 515)],
    ['a cut PAX header', paxHeader([['path', 'b'.repeat(600)]]).subarray(0, 1000)],
    ['heads without an entry', gnuLong('L', 'a')],
    ['a bad PAX length', rawPax('99 path=a\n')],
    ['a PAX record with no end', rawPax('9 path=a')],
    ['a PAX record with no key', rawPax('5 =a\n')],
    ['a NUL in a path', concat([paxHeader([['path', 'a\0b']]), headerBlock({ name: 'a' })])],
    ['an unknown type', headerBlock({ name: 'a', typeflag: 'V' })],
    ['a negative size', headerBlock({ name: 'a', size: base256(-512, 12) })],
    ['a number that is none', headerBlock({ name: 'a', uid: bytesOf('12 9') })],
    [
      'more after one zero block',
      concat([headerBlock({ name: 'a' }), new Uint8Array(512), headerBlock({ name: 'b' })]),
    ],
    ['a sparse map that says more than is stored', sparseMap('0,9')],
    ['half a piece', sparseMap('0,5,7')],
  ])('refuses %s', (_, tar) => {
    expect(() => readTar(tar)).toThrow();
  });

  it('shows what follows the end', () => {
    const tar = concat([writeTar([{ name: 'a' }]), encodeEntry({ name: 'hidden' })]);
    const { entries, trailing } = readWholeTar(tar);
    expect(entries.map(({ name }) => name)).toEqual(['a']);
    expect(trailing).toHaveLength(512);
  });
});

function rawPax(text: string): Uint8Array {
  const body = new Uint8Array(512);
  body.set(bytesOf(text));
  const head = headerBlock({ name: 'x', typeflag: 'x', size: octal(text.length, 12) });
  return concat([head, body, headerBlock({ name: 'a' })]);
}

function sparseMap(map: string): Uint8Array {
  const records = [
    ['GNU.sparse.size', '9'],
    ['GNU.sparse.map', map],
  ] as const;
  return concat([paxHeader(records), encodeEntry({ name: 'a', body: data })]);
}

describe('beside other tar programs', () => {
  const sample = (name: keyof typeof GNU_TAR_SAMPLES): Uint8Array =>
    new Uint8Array(gunzipSync(Buffer.from(GNU_TAR_SAMPLES[name], 'base64')));

  it.each(['sparseGnu', 'sparse00', 'sparse01', 'sparse10'] as const)(
    'reads the sparse file of GNU tar: %s',
    (name) => {
      const entry = only(sample(name));
      expect(entry.name).toBe('holes');
      expect(entry.content).toBe(
        '262144 bytes @8192 one @40960 two @81920 three @122880 four @163840 five @204800 six',
      );
      expect(entry.mtime).toBe(name === 'sparseGnu' ? '1700000000' : '1700000000.123456789');
    },
  );

  it.each([
    ['gnu', '-2', 'o'],
    ['pax', '-1.5', ''],
  ] as const)(
    'reads long names, links, early times and large owners of GNU tar: %s',
    (name, mtime, uname) => {
      const long = `d/${'n'.repeat(120)}`;
      const entries = readTar(sample(name));
      expect(entries.map((entry) => [entry.name, entry.type, entry.linkname])).toEqual([
        ['d/', 'dir', ''],
        ['d/k', 'file', ''],
        ['d/l', 'file', ''],
        [long, 'link', 'd/l'],
        ['d/s', 'symlink', 't'.repeat(130)],
      ]);
      expect(entries[2]).toMatchObject({ uid: 3_000_000, mtime, uname, content: '5 bytes @0 long\n' });
    },
  );

  // tar-stream takes names and link names from PAX, but owners and times from the header only.
  it('writes what tar-stream reads', async () => {
    const specs: EntrySpec[] = [
      { name: 'd/', type: 'dir', mode: 0o700, format: 'ustar' },
      {
        name: `${'d'.repeat(120)}/${'n'.repeat(120)}`,
        body: data,
        uid: 1000,
        mtime: '1.5',
        format: 'pax',
      },
      { name: 'n'.repeat(200), body: data, uid: 3_000_000, uname: 'u', mtime: '7', format: 'gnu' },
      { name: 'l', type: 'link', linkname: 'k'.repeat(150), format: 'gnu' },
      { name: 's', type: 'symlink', linkname: 'k'.repeat(150), format: 'pax' },
      { name: 'c', type: 'char', devmajor: 1, devminor: 3, format: 'ustar' },
    ];
    for (const end of ['blocks', 'record'] as const) {
      const tar = writeTar(specs, end);
      const model = readTar(tar);
      const other = await byTarStream(tar);
      expect(other.map(({ header }) => header.name.replace(/\/$/, ''))).toEqual(
        model.map(({ name }) => name.replace(/\/$/, '')),
      );
      for (const [i, { header, body }] of other.entries()) {
        const entry = model[i];
        expect(header.linkname ?? '').toBe(entry?.linkname);
        expect(header.mode).toBe(entry?.mode);
        expect(header.uid).toBe(entry?.uid);
        expect(body).toBe(entry === undefined ? undefined : byteString(entry.body));
      }
    }
  });

  it('reads what tar-stream writes', async () => {
    const writer = pack();
    writer.entry({ name: 'd', type: 'directory', mode: 0o711 });
    writer.entry(
      {
        name: 'é'.repeat(80),
        uid: 5,
        mtime: new Date(1_700_000_000_000),
        pax: { 'SCHILY.xattr.user.a': 'b' },
      },
      'body',
    );
    writer.entry({ name: 's', type: 'symlink', linkname: 'x'.repeat(120) });
    writer.finalize();
    const parts: Uint8Array[] = [];
    for await (const part of writer) parts.push(part as Uint8Array);
    const reading = readWholeTar(concat(parts));
    expect(reading.complete).toBe(true);
    const [directory, file, symlink] = reading.entries;
    expect(directory).toMatchObject({ type: 'dir', mode: 0o711 });
    expect(file).toMatchObject({
      name: utf8('é'.repeat(80)),
      uid: 5,
      mtime: '1700000000',
      content: '4 bytes @0 body',
    });
    expect(file?.xattrs.get('user.a')).toBe('b');
    expect(symlink?.linkname).toBe('x'.repeat(120));
  });
});
