import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { parseHeader } from '../../src/tar/header.ts';
import {
  checkGlobal,
  chmodHead,
  linkHead,
  makeHead,
  relinkHead,
  renameHead,
  resizeHead,
  tarEnd,
} from '../../src/tar/head.ts';
import { bytesOf, concat, utf8 } from '../support/model/byte-string.ts';
import {
  type EntrySpec,
  encodeEntry,
  headerBlock,
  type ModelEntry,
  padded,
  paxHeader,
  paxRecord,
  readTar,
} from '../support/model/tar-bytes.ts';
import { b } from '../support/bytes.ts';

const long = (letter: string) => `${letter.repeat(90)}/${letter.repeat(90)}`;
const xattrs = { 'security.capability': '\x01\0\0\x02=\n\xff', 'user.note': utf8('größe') };
const owner = { uid: 3_000_000_000, gid: 7, uname: 'app', gname: 'app', mode: 0o4751 };
const body = bytesOf('the contents');

/** Files whose heads say their names in every way there is. */
const files: Readonly<Record<string, EntrySpec>> = {
  'a V7 header': { name: 'short', body, format: 'v7' },
  'a plain header': { name: 'short', body, format: 'ustar' },
  'a prefix': { name: long('p'), body, format: 'ustar' },
  'a name in PAX': { name: 'x'.repeat(130), body, ...owner, xattrs, mtime: '1700000000.123456789' },
  'everything in PAX': { name: 'short', body, ...owner, xattrs, format: 'pax-all' },
  'a long GNU name': { name: long('g'), body, ...owner, format: 'gnu' },
  'a long GNU name and PAX': { name: long('g'), body, ...owner, xattrs, format: 'gnu' },
  'sparse 0.0': { name: 'sparse', body, sparse: { format: '0.0', size: 9000, map: [[512, 12]] } },
  'sparse 0.1': { name: 'sparse', body, xattrs, sparse: { format: '0.1', size: 9000, map: [[512, 12]] } },
  'sparse 1.0': { name: 'a/sparse', body, xattrs, sparse: { format: '1.0', size: 9000, map: [[512, 12]] } },
  'sparse GNU': {
    name: 'sparse',
    body: bytesOf('123456'),
    format: 'gnu',
    sparse: { format: 'gnu', size: 9000, map: [0, 1, 2, 3, 4, 5].map((i) => [i * 1024, 1] as const) },
  },
};

/** The one entry of a tar of nothing else. */
function readEntry(bytes: Uint8Array): ModelEntry {
  const [entry, ...more] = readTar(concat([bytes, tarEnd]));
  if (entry === undefined || more.length > 0) throw new Error('not one entry');
  return entry;
}

/** All that an entry says, without the bytes that said it. */
function meaning(entry: ModelEntry): Partial<ModelEntry> {
  const { head: _head, body: _body, pax: _pax, ...rest } = entry;
  return rest;
}

/** The entry with its head edited, and its body as it was. */
function edited(spec: EntrySpec, edit: (head: Uint8Array) => Uint8Array): ModelEntry {
  const entry = readEntry(encodeEntry(spec));
  return readEntry(concat([edit(entry.head), padded(entry.body)]));
}

/** Names of bytes, up to lengths that no header holds. */
const name = fc
  .string({ unit: fc.constantFrom('a', 'b', '/', ' ', '=', '\n', '\xe9', '\xff'), maxLength: 300 })
  .map((text) => `n${text}x`);

describe.each(Object.entries(files))('the head of a file with %s', (_, spec) => {
  test('under a new name says everything else as before', () => {
    fc.assert(
      fc.property(name, (to) => {
        const before = meaning(readEntry(encodeEntry(spec)));
        expect(meaning(edited(spec, (head) => renameHead(head, b(to))))).toEqual({ ...before, name: to });
      }),
      { numRuns: 60 },
    );
  });

  test('with other permission bits says everything else as before', () => {
    for (const mode of [0, 0o644, 0o751, 0o7777]) {
      const before = meaning(readEntry(encodeEntry(spec)));
      expect(meaning(edited(spec, (head) => chmodHead(head, mode)))).toEqual({ ...before, mode });
    }
  });

  test('renamed there and back means what it meant', () => {
    const there = (head: Uint8Array) => renameHead(head, b(long('z')));
    expect(meaning(edited(spec, (head) => renameHead(there(head), b(spec.name))))).toEqual(
      meaning(readEntry(encodeEntry(spec))),
    );
  });

  test('is not changed in place', () => {
    const { head } = readEntry(encodeEntry(spec));
    const copy = head.slice();
    renameHead(head, b('other'));
    chmodHead(head, 0);
    expect(head).toEqual(copy);
  });
});

test.each(Object.entries(files))(
  'a file with %s gets another size and nothing else, unless it is sparse',
  (_, spec) => {
    const entry = readEntry(encodeEntry(spec));
    if (spec.sparse !== undefined) {
      expect(() => resizeHead(entry.head, 1)).toThrow(OcislimError);
      return;
    }
    for (const text of ['', 'x', 'more than there was before'.repeat(40)]) {
      const after = readEntry(concat([resizeHead(entry.head, text.length), padded(bytesOf(text))]));
      const { size: _, content: __, ...rest } = meaning(entry);
      expect(meaning(after)).toMatchObject({ ...rest, size: text.length });
      expect(after.body).toEqual(bytesOf(text));
    }
  },
);

test.each(['v7', 'ustar', 'pax', 'pax-all', 'gnu'] as const)(
  'a hard link in %s gets any target and nothing else',
  (format) => {
    const linknames = format === 'v7' || format === 'ustar' ? ['old'] : ['old', long('o')];
    fc.assert(
      fc.property(name, fc.constantFrom(...linknames), (to, linkname) => {
        const spec: EntrySpec = { name: 'link', type: 'link', linkname, format, mode: 0o640 };
        const before = meaning(readEntry(encodeEntry(spec)));
        expect(meaning(edited(spec, (head) => relinkHead(head, b(to))))).toEqual({ ...before, linkname: to });
      }),
      { numRuns: 60 },
    );
  },
);

test.each(['v7', 'ustar', 'pax', 'pax-all', 'gnu'] as const)(
  'a file in %s becomes a hard link with every attribute that it had',
  (format) => {
    fc.assert(
      fc.property(name, (to) => {
        const spec: EntrySpec = {
          name: 'file',
          body,
          format,
          mode: 0o751,
          uid: 7,
          gid: 8,
          mtime: '1700000000',
        };
        const before = meaning(readEntry(encodeEntry(spec)));
        const { head } = readEntry(encodeEntry(spec));
        const after = readEntry(linkHead(head, b(to)));
        expect(meaning(after)).toEqual({
          ...before,
          ...meaning(
            readEntry(encodeEntry({ ...spec, body: new Uint8Array(0), type: 'link', linkname: to, format })),
          ),
        });
        expect([after.type, after.linkname, after.size]).toEqual(['link', to, 0]);
      }),
      { numRuns: 60 },
    );
  },
);

test('a short name needs no more than a header; a PAX header left empty goes', () => {
  const { head } = readEntry(encodeEntry({ name: 'y'.repeat(130), body }));
  expect(head.length).toBe(3 * 512);
  expect(renameHead(head, b('short')).length).toBe(512);
  const gnu = readEntry(encodeEntry({ name: 'y'.repeat(130), body, format: 'gnu' })).head;
  expect(renameHead(gnu, b('short')).length).toBe(512);
});

test('the prefix of an old name goes as a whole; what STAR keeps after it stays', () => {
  const prefixed = readEntry(encodeEntry({ name: long('p'), format: 'ustar' })).head;
  expect(
    renameHead(prefixed, b('short'))
      .subarray(345)
      .every((byte) => byte === 0),
  ).toBe(true);
  const times = bytesOf('14524523400 14524523401 ');
  const star = headerBlock({
    name: 'file',
    prefix: 'p'.repeat(131),
    patches: [
      [476, times],
      [508, bytesOf('tar\0')],
    ],
  });
  const renamed = renameHead(star, b('short'));
  expect(renamed.subarray(345, 476).every((byte) => byte === 0)).toBe(true);
  expect(renamed.subarray(476)).toEqual(star.subarray(476));
});

test('T4: of two PAX headers the first says nothing, also when an edit leaves nothing of the second', () => {
  const first = paxHeader([
    ['size', '9999'],
    ['uid', '5'],
  ]);
  const { head } = readEntry(encodeEntry({ name: 'f', body, format: 'ustar' }));
  const both = (last: readonly (readonly [string, string])[]) => concat([first, paxHeader(last), head]);
  const renamed = parseHeads(renameHead(both([['path', 'old']]), b('new')));
  const linked = parseHeads(linkHead(both([['size', String(body.length)]]), b('to')));
  expect([renamed, linked]).toEqual([['0 new'], ['1 f']]);
});

test('T7: a prefix that an old writer left in a GNU header goes with the old name', () => {
  const head = headerBlock({ name: 'old', magic: 'ustar  \0', prefix: 'p/q' });
  expect(parseHeads(head)).toEqual(['0 p/q/old']);
  expect(parseHeads(renameHead(head, b('new')))).toEqual(['0 new']);
  expect(parseHeads(relinkHead(head, b('to')))).toEqual(['0 p/q/old']);
});

/** Type and name of each header block. */
function parseHeads(head: Uint8Array): string[] {
  return Array.from({ length: head.length / 512 }, (_, i) => {
    const { type, name: said } = parseHeader(head.subarray(512 * i, 512 * (i + 1)));
    return `${type} ${said}`;
  });
}

describe('a made head', () => {
  test('a whiteout is an empty file, a directory what runtimes imply', () => {
    const made = { uid: 0, gid: 0, uname: '', gname: '', mtime: '1700000000', size: 0 };
    const whiteout = makeHead({ kind: 'whiteout', name: b('a/.wh.b'), mtime: 1_700_000_000 });
    expect(readEntry(whiteout)).toMatchObject({ ...made, name: 'a/.wh.b', type: 'file', mode: 0 });
    const directory = makeHead({ kind: 'directory', name: b('a/b'), mtime: 1_700_000_000 });
    expect(readEntry(directory)).toMatchObject({ ...made, name: 'a/b/', type: 'dir', mode: 0o755 });
    expect([whiteout.length, directory.length]).toEqual([512, 512]);
  });

  test('with names of any length', () => {
    fc.assert(
      fc.property(name, fc.constantFrom('whiteout' as const, 'directory' as const), (text, kind) => {
        const entry = readEntry(makeHead({ kind, name: b(text), mtime: 0 }));
        expect(entry.name).toBe(kind === 'directory' ? `${text}/` : text);
        expect(entry.type).toBe(kind === 'directory' ? 'dir' : 'file');
      }),
    );
  });
});

test('a global header may hold a comment and nothing else', () => {
  expect(() => checkGlobal(bytesOf(paxRecord('comment', 'commit 1')))).not.toThrow();
  expect(() => checkGlobal(new Uint8Array(0))).not.toThrow();
  const other = paxRecord('comment', 'c') + paxRecord('path', 'a');
  expect(() => checkGlobal(bytesOf(other))).toThrow(OcislimError);
  expect(() => checkGlobal(bytesOf(other))).toThrow(/"path" for all entries/);
});
