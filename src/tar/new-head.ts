/**
 * Makes the heads of new entries: of every kind of file, with numbers, names and extended attributes of any size. `writer.ts` calls it
 * for what is in memory, and the room `build` for files of this machine.
 */
import { asByteString, ascii, type ByteString, bytesOf, joinBytes, noBytes } from '../bytes/bytes.ts';
import { concat } from '../stream/collect.ts';
import { headerBlock, maxName, paxBlocks, paxName, wholeBlocks } from './header-block.ts';
import type { PaxRecords } from './pax.ts';
import type { SparsePiece } from './sparse.ts';

/** A time: whole seconds since 1970, which may be negative, and the nanoseconds after them (0 to 999,999,999). */
export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** An extended attribute: its name with its namespace, and its bytes. */
export type Xattr = readonly [name: ByteString, value: ByteString];

/** What entries of all kinds have. */
export interface HeadAttributes {
  /** A clean path, without a slash at its end. */
  readonly name: ByteString;
  /** Permission bits, setuid, setgid and sticky included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, or a time with nanoseconds. */
  readonly mtime: number | Time;
  /** In any order. Default: none. */
  readonly xattrs?: readonly Xattr[];
}

/** What a file of one kind has. A hard link names the entry that carries its data. */
export type HeadKind =
  | {
      readonly kind: 'file';
      /** Bytes of the file, its holes included. */
      readonly size: number;
      /** The runs that are stored, in order. Default: the whole file. */
      readonly pieces?: readonly SparsePiece[];
    }
  | { readonly kind: 'directory' | 'fifo' }
  | { readonly kind: 'symlink' | 'hardlink'; readonly link: ByteString }
  | { readonly kind: 'char' | 'block'; readonly major: number; readonly minor: number };

/** The head of a new entry, as data. */
export type NewHead = HeadAttributes & HeadKind;

const types = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
} as const;

/** The most that fields of 8 and of 12 bytes hold in octal digits. */
const maxShort = 8 ** 7 - 1;
const maxLong = 8 ** 11 - 1;

/**
 * Makes the head of an entry: a header of POSIX.1-1988 (ustar), before it an extended header (POSIX.1-2001) for what does not fit.
 * The same entry gives the same bytes. The head of a sparse file ends with its map, which is the beginning of its body for readers
 * (GNU tar manual, "PAX Format, Version 1.0").
 * @throws RangeError for a device number or a name of an attribute that a tar cannot hold
 */
export function newHead(entry: NewHead): Uint8Array {
  const { mode, uid, gid } = entry;
  const time = typeof entry.mtime === 'number' ? { seconds: entry.mtime, nanoseconds: 0 } : entry.mtime;
  const map = 'pieces' in entry && entry.pieces !== undefined ? sparseMap(entry.pieces) : null;
  const size = storedSize(entry) + (map?.length ?? 0);
  const name = entry.kind === 'directory' ? ascii`${entry.name}/` : entry.name;
  const link = 'link' in entry ? entry.link : noBytes;
  const records: PaxRecords = [
    ...(name.length > maxName && map === null ? [[ascii`path`, name] as const] : []),
    ...(link.length > maxName ? [[ascii`linkpath`, link] as const] : []),
    ...large(ascii`size`, size, maxLong),
    ...large(ascii`uid`, uid, maxShort),
    ...large(ascii`gid`, gid, maxShort),
    ...timeRecord(time),
    ...(map === null ? [] : sparseRecords(entry)),
    ...xattrRecords(entry.xattrs ?? []),
  ];
  const header = headerBlock({
    name: map === null ? name : standIn(name),
    type: types[entry.kind],
    mode,
    uid: fitting(uid, maxShort),
    gid: fitting(gid, maxShort),
    size: fitting(size, maxLong),
    mtime: fitting(time.seconds, maxLong),
    link,
    ...('major' in entry ? { device: { major: entry.major, minor: entry.minor } } : {}),
  });
  const extension = records.length === 0 ? [] : paxBlocks(paxName, records);
  return concat([...extension, header, ...(map === null ? [] : [map])]);
}

/** Returns the bytes of a body that follow a head made by `newHead`, without the zeros that fill the last block. */
function storedSize(entry: NewHead): number {
  if (entry.kind !== 'file') return 0;
  return entry.pieces?.reduce((sum, { length }) => sum + length, 0) ?? entry.size;
}

function fitting(value: number, most: number): number {
  return value >= 0 && value <= most ? value : 0;
}

function large(key: ByteString, value: number, most: number): PaxRecords {
  return value === fitting(value, most) ? [] : [[key, ascii`${value}`]];
}

/** Returns the record of a time that a header does not hold: with a fraction, before 1970, or late. */
function timeRecord({ seconds, nanoseconds }: Time): PaxRecords {
  if (nanoseconds === 0) return large(ascii`mtime`, seconds, maxLong);
  const all = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const digits = String(all < 0n ? -all : all).padStart(10, '0');
  const [, fraction = ''] = /^(.*[1-9])0*$/.exec(digits.slice(-9)) ?? [];
  const text = `${all < 0n ? '-' : ''}${digits.slice(0, -9)}.${fraction}`;
  return [[ascii`mtime`, asByteString(text)]];
}

/** Returns attributes in the records that Go, GNU tar and bsdtar read, sorted by name. @throws RangeError */
function xattrRecords(xattrs: readonly Xattr[]): PaxRecords {
  const sorted = xattrs.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, value]) => {
    if (name === '' || name.includes('=') || name.includes('\0'))
      throw new RangeError(`a tar cannot hold the extended attribute ${JSON.stringify(name)}`);
    return [ascii`SCHILY.xattr.${name}`, value];
  });
}

function sparseRecords(entry: NewHead): PaxRecords {
  const size = entry.kind === 'file' ? entry.size : 0;
  return [
    [ascii`GNU.sparse.major`, ascii`1`],
    [ascii`GNU.sparse.minor`, ascii`0`],
    [ascii`GNU.sparse.name`, entry.name],
    [ascii`GNU.sparse.realsize`, ascii`${size}`],
  ];
}

/** Returns the name that programs see which know no sparse files, as GNU tar makes it. */
function standIn(name: ByteString): ByteString {
  const start = name.lastIndexOf('/') + 1;
  return ascii`${name.slice(0, start)}GNUSparseFile.0/${name.slice(start)}`;
}

/** Writes the map of a sparse file: decimal numbers, each with a newline, in whole blocks. */
function sparseMap(pieces: readonly SparsePiece[]): Uint8Array {
  const numbers = [pieces.length, ...pieces.flatMap(({ offset, length }) => [offset, length])];
  const text = joinBytes(
    numbers.map((number) => ascii`${number}`),
    '\n',
  );
  return wholeBlocks(bytesOf(ascii`${text}\n`));
}
