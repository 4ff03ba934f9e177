/**
 * The target of RPM databases in their three forms. Whatever they hold, reading ends in bounded time and does not
 * throw.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { buildPackageIndex } from '../../src/rootfs/packages/package-index.ts';
import { readRpmHeader } from '../../src/rootfs/packages/rpm-header.ts';
import { imageOf } from '../files.ts';
import type { Mutator } from '../mutate.ts';
import { holds, neverThrows, type Target } from '../target.ts';
import { KiB } from '../../src/units.ts';

const names = ['rpmdb.sqlite', 'Packages', 'Packages.db'] as const;

function fixture(name: string): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(new URL(`../../fixtures/rpm/${name}.gz`, import.meta.url))));
}

function nameOf(bytes: Uint8Array): (typeof names)[number] {
  if (bytes[0] === 0x53) return names[0];
  return bytes[0] === 0x52 ? names[2] : names[1];
}

/** Writes a database of ndb: slots in pages of 4 KiB that say where blobs lie, in blocks of 16 bytes. */
function writeNdb(blob: Uint8Array): Uint8Array {
  const out = new Uint8Array(4096 + 16 * Math.ceil((blob.length + 32) / 16));
  const view = new DataView(out.buffer);
  const words = (at: number, values: readonly number[]) => {
    for (const [i, value] of values.entries()) view.setUint32(at + 4 * i, value, true);
  };
  words(0, [0x506d7052, 0, 1, 1, 2]);
  for (let at = 32; at < 4096; at += 16) words(at, [0x746f6c53, 0, 0, 0]);
  words(32, [0x746f6c53, 1, 256, Math.ceil((blob.length + 32) / 16)]);
  words(4096, [0x53626c42, 1, 1, blob.length]);
  out.set(blob, 4112);
  words(out.length - 16, [0, blob.length, 0x45626c42, 0]);
  return out;
}

/** Writes a package header: the numbers of entries and bytes, entries of 16 bytes, their data. */
function writeHeader(): Uint8Array {
  const data = Buffer.from('parcel\x001.0\x002\0/usr/bin/\0parcel\0\0\0\0\0\0', 'latin1');
  const entries = [
    [1000, 6, 0, 1],
    [1001, 6, 7, 1],
    [1002, 6, 11, 1],
    [1118, 8, 13, 1],
    [1117, 8, 23, 1],
    [1116, 4, 32, 1],
  ];
  const out = Buffer.alloc(8 + 16 * entries.length + data.length);
  for (const [i, word] of [entries.length, data.length, ...entries.flat()].entries())
    out.writeUInt32BE(word, 4 * i);
  data.copy(out, 8 + 16 * entries.length);
  return new Uint8Array(out);
}

/** Sets bytes in the first words of a page, which matter most. */
const setHead: Mutator = (bytes, random) => {
  if (bytes.length < 64) return bytes;
  const out = bytes.slice();
  const page = 4096 * random.below(out.length / 4096);
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  const at = Math.min(page + random.below(128), out.length - 4);
  const value = random.pick([
    0,
    1,
    2,
    5,
    7,
    10,
    13,
    0xff,
    0x1000,
    0xffff,
    0x7fffffff,
    0xffffffff,
    out.length,
    random.below(out.length / 4096 + 2),
  ]);
  if (random.once(2)) view.setUint32(at, value >>> 0, random.once(2));
  else view.setUint16(at, value & 0xffff, random.once(2));
  return out;
};

export const target: Target = {
  name: 'rpm',
  invariant:
    'databases of RPM (SQLite, Berkeley DB, ndb) are read without a throw, in bounded time, and name no file that is not in the image',
  seeds: () => [
    ...['rpmdb.sqlite', 'Packages', 'Packages-big-endian'].map(fixture),
    ...['rpmdb.sqlite', 'Packages'].map((name) => fixture(name).subarray(0, 16 * KiB)),
    writeNdb(writeHeader()),
    writeHeader(),
  ],
  dictionary: [
    'SQLite format 3\0',
    '\x0d\0',
    '\x05\0',
    'RpmP',
    'Slot',
    'BlbS',
    '\xff\xff\xff\xff',
    '\x81\x80\x80\x80\x80\x80\x80\x80\x80',
  ],
  mutators: [setHead, setHead, setHead],
  maxBytes: 512 * KiB,
  run: async (bytes) => {
    neverThrows('readRpmHeader', () => readRpmHeader(bytes));
    const name = nameOf(bytes);
    const files = new Map([
      [`var/lib/rpm/${name}`, bytes],
      ['usr/bin/parcel', Uint8Array.of(1)],
    ]);
    const { fs, facts } = await imageOf(files);
    const { packages } = neverThrows('buildPackageIndex', () => buildPackageIndex(fs, facts));
    for (const each of packages)
      for (const path of each.files)
        holds(fs.kind(path) === 'file', 'a package with a file that is not in the image');
  },
};
