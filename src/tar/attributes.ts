/**
 * Reads the attributes of an entry that only few callers ask for: owners by name, times, extended attributes, devices. `verify`
 * compares them, and files with equal ones may become hard links.
 */
import { OcislimError } from '../errors.ts';
import { type ByteString, readField, noBytes } from '../bytes/bytes.ts';
import type { TarEntry } from './entry.ts';
import { blockSize, hasNames } from './header.ts';
import { readNumber } from './number.ts';
import { type PaxRecords, parsePax, paxValue } from './pax.ts';
import { padded } from './reader.ts';
import { readSparseForm, type SparseForm } from './sparse.ts';

/** The attributes of a file in an entry, other than name, kind, link target and stored size. Extensions are applied, values exact. */
export interface Attributes {
  /** Permission bits, setuid, setgid and sticky included. */
  readonly mode: number;
  /** The number of the owner, in decimal. */
  readonly uid: string;
  readonly gid: string;
  readonly uname: ByteString;
  readonly gname: ByteString;
  /** Seconds since 1970 as a decimal without idle zeros: `-1.5`, `1700000000.123456789`. */
  readonly mtime: string;
  /** The PAX records that stand for none of the other attributes, the last of each key, by key: `SCHILY.xattr.…`, ACLs, flags. */
  readonly records: ReadonlyMap<ByteString, ByteString>;
  /** `major,minor` of a device, else empty. */
  readonly device: string;
  /** Null for a file that is not sparse. */
  readonly sparse: SparseForm | null;
}

/** Records that other members of `TarEntry` or `Attributes` tell, or that are not properties of the file (atime, ctime, comment, charset). */
const otherwiseTold = new Set([
  'path',
  'linkpath',
  'size',
  'uid',
  'gid',
  'uname',
  'gname',
  'mtime',
  'atime',
  'ctime',
  'comment',
  'charset',
  'hdrcharset',
]);

/**
 * Reads the attributes of an entry as Go's archive/tar does: PAX records win over the header, an empty one means "as
 * the header says", except where the record itself is the attribute.
 * @throws TAR_INVALID
 */
export function readAttributes({ kind, head }: TarEntry): Attributes {
  let pax: PaxRecords = [];
  let at = 0;
  for (let type = head[156]; isExtension(type); type = head[at + 156]) {
    const size = readNumber(head, at + 124, 12, 'size');
    if (type === 0x78) pax = parsePax(head.subarray(at + blockSize, at + blockSize + size));
    at += blockSize + padded(size);
  }
  const header = head.subarray(at, at + blockSize);
  const named = hasNames(header);
  const isDevice = kind === 'char' || kind === 'block';
  return {
    mode: readNumber(header, 100, 8, 'mode') & 0o7777,
    uid: integer(paxValue(pax, 'uid')) ?? String(readNumber(header, 108, 8, 'uid')),
    gid: integer(paxValue(pax, 'gid')) ?? String(readNumber(header, 116, 8, 'gid')),
    uname: paxValue(pax, 'uname') ?? (named ? readField(header, 265, 32) : noBytes),
    gname: paxValue(pax, 'gname') ?? (named ? readField(header, 297, 32) : noBytes),
    mtime: decimal(paxValue(pax, 'mtime')) ?? String(readNumber(header, 136, 12, 'mtime')),
    records: new Map(
      pax
        .filter(([key]) => !otherwiseTold.has(key) && !key.startsWith('GNU.sparse.'))
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
    ),
    device:
      isDevice && named
        ? `${readNumber(header, 329, 8, 'device number')},${readNumber(header, 337, 8, 'device number')}`
        : '',
    sparse: kind === 'file' ? readSparseForm(header, head.subarray(at + blockSize), pax) : null,
  };
}

/** Tells whether a type is that of an extension: `x`, `L` or `K`. */
function isExtension(type: number | undefined): boolean {
  return type === 0x78 || type === 0x4c || type === 0x4b;
}

function integer(text: ByteString | undefined): string | null {
  if (text === undefined) return null;
  if (!/^[+-]?[0-9]{1,20}$/.test(text)) throw invalid();
  return String(BigInt(text.replace('+', '')));
}

function decimal(text: ByteString | undefined): string | null {
  if (text === undefined) return null;
  const match = /^([+-]?)([0-9]{1,20})(?:\.([0-9]*))?$/.exec(text);
  if (match === null) throw invalid();
  const [, sign, digits = '', decimals = ''] = match;
  const whole = digits.replace(/^0+(?=[0-9])/, '');
  // A pattern would look for the end again from each of many zeros.
  let end = decimals.length;
  while (end > 0 && decimals[end - 1] === '0') end--;
  const fraction = decimals.slice(0, end);
  const value = fraction === '' ? whole : `${whole}.${fraction}`;
  return sign === '-' && value !== '0' ? `-${value}` : value;
}

function invalid(): OcislimError {
  return new OcislimError('TAR_INVALID', 'a tar extended header has an unreadable number');
}
