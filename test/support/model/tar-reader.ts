/**
 * Reads tars as Go's archive/tar does, without a line of the code that is tested. The model applies the entries;
 * the tests compare heads and bodies byte for byte.
 */
import { createHash } from 'node:crypto';
import { type ByteString, byteString } from './byte-string.ts';
import type { EntryType } from './tar-bytes.ts';

const BLOCK = 512;

/** One entry as read back: its meaning, and the bytes that it was read from. */
export type ModelEntry = {
  /** The name as stored (PAX and GNU heads applied), not normalised. */
  readonly name: ByteString;
  readonly type: EntryType;
  /** The type character of the entry's own header. */
  readonly typeflag: string;
  /** The mode of the header, with whatever bits it has. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: ByteString;
  readonly gname: ByteString;
  /** Seconds as a canonical decimal: no redundant zeros, no `-0`. */
  readonly mtime: string;
  readonly linkname: ByteString;
  readonly devmajor: number;
  readonly devminor: number;
  readonly xattrs: ReadonlyMap<string, ByteString>;
  /** All PAX records of the entry, the last of each key. For a `global` entry: its records, which no reader applies. */
  readonly pax: ReadonlyMap<ByteString, ByteString>;
  /** The size of the file as a program sees it (for a sparse file with its holes). */
  readonly size: number;
  /**
   * A text that is equal for two files exactly when their contents are, however sparse either is. Empty for other
   * entries.
   */
  readonly content: string;
  readonly sparse: readonly (readonly [number, number])[] | undefined;
  /** All header blocks of the entry: PAX and GNU heads, its header, sparse extension blocks. */
  readonly head: Uint8Array;
  /** The stored body without padding (of a PAX 1.0 sparse file: with the map in front). */
  readonly body: Uint8Array;
};

/** A tar read to its end: the entries, and how it ended. */
export type TarReading = {
  readonly entries: readonly ModelEntry[];
  /**
   * Whether two zero blocks end the archive and its length is a multiple of 512, as every tar writer should leave
   * it.
   */
  readonly complete: boolean;
  /** The bytes after the end blocks, if one of them is not zero. */
  readonly trailing: Uint8Array;
};

/** Reads the entries of a tar. Throws an Error for bytes that are not a tar: see {@link readWholeTar}. */
export function readTar(tar: Uint8Array): readonly ModelEntry[] {
  return readWholeTar(tar).entries;
}

type Head = {
  readonly start: number;
  readonly pax: Map<ByteString, ByteString>;
  /** Offsets and lengths of PAX sparse 0.0, in their order; the keys repeat. */
  readonly pieces: number[];
  longName: ByteString | undefined;
  longLink: ByteString | undefined;
};

/**
 * Reads a tar as Go's archive/tar does where tars differ: size fields of entries without a body do not count,
 * global headers apply to nothing, PAX records win over the header. Throws an Error for a bad checksum, a bad
 * number, a bad PAX record, an unknown type, a body cut short, heads without an entry. A missing end, or padding
 * cut short, is read as the end.
 */
export function readWholeTar(tar: Uint8Array): TarReading {
  const entries: ModelEntry[] = [];
  let offset = 0;
  let head: Head | undefined;
  while (offset < tar.length) {
    const block = tar.subarray(offset, offset + BLOCK);
    if (block.every((byte) => byte === 0)) break;
    if (block.length < BLOCK) throw new Error('a header block is cut short');
    checkSum(block);
    head ??= { start: offset, pax: new Map(), pieces: [], longName: undefined, longLink: undefined };
    const typeflag = textField(block, 156, 1) || '\0';
    const size = Number(numberField(block, 124, 12));
    if ('xLK'.includes(typeflag)) {
      const data = take(tar, offset + BLOCK, size);
      if (typeflag === 'x') {
        // Of several the last one counts, as a whole.
        head.pax.clear();
        head.pieces.length = 0;
        readPax(data, head);
      }
      if (typeflag === 'L') head.longName = beforeNul(byteString(data));
      if (typeflag === 'K') head.longLink = beforeNul(byteString(data));
      offset += BLOCK + paddedSize(size);
      continue;
    }
    const { entry, end } = readEntry(tar, offset, head, typeflag);
    entries.push(entry);
    offset = end;
    head = undefined;
  }
  if (head !== undefined) throw new Error('extended headers with no entry after them');
  const rest = tar.subarray(Math.min(offset, tar.length));
  const zero = rest.findIndex((byte) => byte !== 0);
  if (zero !== -1 && zero < 2 * BLOCK) throw new Error('one zero block and then more');
  return {
    entries,
    complete: rest.length >= 2 * BLOCK && tar.length % BLOCK === 0,
    trailing: zero === -1 ? new Uint8Array(0) : rest.subarray(zero),
  };
}

function readEntry(
  tar: Uint8Array,
  at: number,
  head: Head,
  typeflag: string,
): { entry: ModelEntry; end: number } {
  const block = tar.subarray(at, at + BLOCK);
  const pax = typeflag === 'g' ? new Map<ByteString, ByteString>() : head.pax;
  const record = (key: string): string | undefined => pax.get(key) || undefined;

  const magic = byteString(block.subarray(257, 265));
  const named = magic !== '\0'.repeat(8);
  const prefix = prefixOf(block, magic);
  const ownName = textField(block, 0, 100);
  const storedName = record('path') ?? head.longName ?? (prefix === '' ? ownName : `${prefix}/${ownName}`);
  const name = (isPaxSparse(pax, head.pieces) ? record('GNU.sparse.name') : undefined) ?? storedName;
  const linkname = record('linkpath') ?? head.longLink ?? textField(block, 157, 100);
  for (const text of [name, linkname]) if (text.includes('\0')) throw new Error('a NUL in a name');
  const type = typeOf(typeflag, name);

  const stored = record('size') === undefined ? Number(numberField(block, 124, 12)) : natural(record('size'));
  if (stored < 0) throw new Error('a negative size');
  const length = type === 'file' || type === 'global' ? stored : 0;
  let bodyAt = at + BLOCK;
  let map: [number, number][] | undefined;
  let size = length;
  if (typeflag === 'S') {
    ({ map, next: bodyAt } = readGnuMap(tar, at));
    size = Number(numberField(block, 483, 12));
  }
  const body = take(tar, bodyAt, length);
  let data = body;
  if (type === 'file' && typeflag !== 'S') {
    const found = readPaxMap(pax, head.pieces, body);
    if (found !== undefined) {
      map = found.map;
      data = body.subarray(found.skip);
      size = natural(record('GNU.sparse.realsize') ?? record('GNU.sparse.size'));
    }
  }
  if (typeflag === 'g') readPax(body, { ...head, pax });

  const owner = (key: 'uid' | 'gid', offset: number): number =>
    record(key) === undefined ? Number(numberField(block, offset, 8)) : natural(record(key));
  const entry: ModelEntry = {
    name,
    type,
    typeflag,
    mode: Number(numberField(block, 100, 8)),
    uid: owner('uid', 108),
    gid: owner('gid', 116),
    uname: record('uname') ?? (named ? textField(block, 265, 32) : ''),
    gname: record('gname') ?? (named ? textField(block, 297, 32) : ''),
    mtime: canonicalDecimal(record('mtime') ?? String(numberField(block, 136, 12))),
    linkname: type === 'link' || type === 'symlink' ? linkname : '',
    devmajor: type === 'char' || type === 'block' ? Number(numberField(block, 329, 8)) : 0,
    devminor: type === 'char' || type === 'block' ? Number(numberField(block, 337, 8)) : 0,
    xattrs: new Map(
      [...pax]
        .filter(([key]) => key.startsWith('SCHILY.xattr.'))
        .map(([key, value]) => [key.slice('SCHILY.xattr.'.length), value]),
    ),
    pax,
    size,
    content: type === 'file' ? canonicalContent(size, map ?? [[0, size]], data) : '',
    sparse: map,
    head: tar.subarray(head.start, bodyAt),
    body,
  };
  return { entry, end: bodyAt + paddedSize(length) };
}

function prefixOf(block: Uint8Array, magic: string): ByteString {
  if (magic.startsWith('ustar\0'))
    return textField(block, 345, byteString(block.subarray(508, 512)) === 'tar\0' ? 131 : 155);
  // Where GNU headers have two times, Go before 1.8 left a prefix, which Go still reads if it is ASCII.
  const text = magic === 'ustar  \0' ? textField(block, 345, 155) : '';
  const hasTimes = [345, 357].every((at) => block[at] === 0 || isNumber(block, at, 12));
  return hasTimes || /[\x80-\xff]/.test(text) ? '' : text;
}

function isNumber(block: Uint8Array, at: number, length: number): boolean {
  try {
    numberField(block, at, length);
    return true;
  } catch {
    return false;
  }
}

/** Returns whether the records make a sparse file: versions 0.0, 0.1 and 1.0, or a map without a version. */
function isPaxSparse(pax: ReadonlyMap<string, string>, pieces: readonly number[]): boolean {
  const version = `${pax.get('GNU.sparse.major') ?? ''}.${pax.get('GNU.sparse.minor') ?? ''}`;
  if (version === '.') return pieces.length > 0 || Boolean(pax.get('GNU.sparse.map'));
  return ['0.0', '0.1', '1.0'].includes(version);
}

function typeOf(typeflag: string, name: ByteString): EntryType {
  switch (typeflag) {
    case '\0':
      return name.endsWith('/') ? 'dir' : 'file';
    case '0':
    case '7':
    case 'S':
      return 'file';
    case '1':
      return 'link';
    case '2':
      return 'symlink';
    case '3':
      return 'char';
    case '4':
      return 'block';
    case '5':
      return 'dir';
    case '6':
      return 'fifo';
    case 'g':
      return 'global';
    default:
      throw new Error(`unknown type ${JSON.stringify(typeflag)}`);
  }
}

function checkSum(block: Uint8Array): void {
  const wanted = Number(numberField(block, 148, 8));
  const spaces = new Uint8Array(block);
  spaces.fill(0x20, 148, 156);
  const unsigned = spaces.reduce((total, byte) => total + byte, 0);
  const signed = spaces.reduce((total, byte) => total + (byte > 127 ? byte - 256 : byte), 0);
  if (wanted !== unsigned && wanted !== signed) throw new Error('a wrong checksum: no tar header');
}

function readPax(data: Uint8Array, head: Head): void {
  let rest = byteString(data);
  while (rest !== '') {
    const space = rest.indexOf(' ');
    const length = natural(rest.slice(0, Math.max(space, 0)));
    const line = rest.slice(space + 1, length);
    const equals = line.indexOf('=');
    if (length > rest.length || equals < 1 || !line.endsWith('\n')) throw new Error('a bad PAX record');
    const key = line.slice(0, equals);
    const value = line.slice(equals + 1, -1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') head.pieces.push(natural(value));
    else head.pax.set(key, value);
    rest = rest.slice(length);
  }
}

/** Reads the map of an old GNU sparse file, and where its body begins. */
function readGnuMap(tar: Uint8Array, at: number): { map: [number, number][]; next: number } {
  const map: [number, number][] = [];
  let block = tar.subarray(at, at + BLOCK);
  let next = at + BLOCK;
  let [first, pieces, flag] = [386, 4, 482];
  for (;;) {
    for (let i = 0; i < pieces; i += 1) {
      const piece = first + i * 24;
      if (block[piece] === 0) break;
      map.push([Number(numberField(block, piece, 12)), Number(numberField(block, piece + 12, 12))]);
    }
    if (block[flag] === 0) return { map, next };
    block = take(tar, next, BLOCK);
    next += BLOCK;
    [first, pieces, flag] = [0, 21, 504];
  }
}

function readPaxMap(
  pax: ReadonlyMap<string, string>,
  pieces: readonly number[],
  body: Uint8Array,
): { map: [number, number][]; skip: number } | undefined {
  if (!isPaxSparse(pax, pieces)) return undefined;
  if (pax.get('GNU.sparse.major') === '1' && pax.get('GNU.sparse.minor') === '0') {
    const numbers: number[] = [];
    let at = 0;
    const next = (): number => {
      const end = body.indexOf(0x0a, at);
      if (end === -1) throw new Error('a sparse map without an end');
      const number = natural(byteString(body.subarray(at, end)));
      at = end + 1;
      return number;
    };
    const count = next();
    for (let i = 0; i < count * 2; i += 1) numbers.push(next());
    return { map: pairs(numbers), skip: paddedSize(at) };
  }
  const text = pax.get('GNU.sparse.map');
  if (text !== undefined) return { map: pairs(text === '' ? [] : text.split(',').map(natural)), skip: 0 };
  if (pax.has('GNU.sparse.numblocks')) return { map: pairs(pieces), skip: 0 };
  return undefined;
}

function pairs(numbers: readonly number[]): [number, number][] {
  if (numbers.length % 2 !== 0) throw new Error('half a piece in a sparse map');
  const out: [number, number][] = [];
  for (let i = 0; i < numbers.length; i += 2) out.push([numbers[i] ?? 0, numbers[i + 1] ?? 0]);
  return out;
}

/** Returns the size and every maximal run of bytes other than zero, with its place; long runs as their digest. */
function canonicalContent(
  size: number,
  map: readonly (readonly [number, number])[],
  data: Uint8Array,
): string {
  const runs: { readonly at: number; text: string }[] = [];
  let from = 0;
  for (const [offset, length] of map) {
    if (from + length > data.length) throw new Error('a sparse map that says more than is stored');
    const piece = data.subarray(from, from + length);
    let at = 0;
    while (at < length) {
      if (piece[at] === 0) {
        at += 1;
        continue;
      }
      const zero = piece.indexOf(0, at);
      const end = zero === -1 ? length : zero;
      const text = byteString(piece.subarray(at, end));
      const last = runs.at(-1);
      // Two pieces of the map may touch.
      if (last !== undefined && last.at + last.text.length === offset + at) last.text += text;
      else runs.push({ at: offset + at, text });
      at = end;
    }
    from += length;
  }
  if (from !== data.length) throw new Error('a sparse map that says less than is stored');
  const text = `${size} bytes${runs.map((run) => ` @${run.at} ${run.text}`).join('')}`;
  if (text.length <= 4096) return text;
  return `${size} bytes, sha256 ${createHash('sha256').update(text, 'latin1').digest('hex')}`;
}

/** Returns a decimal in its one canonical form. Throws an Error for a text that is not a decimal. */
function canonicalDecimal(text: string): string {
  const match = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text);
  if (match === null || (match[2] === '' && !match[3]))
    throw new Error(`no decimal: ${JSON.stringify(text)}`);
  const whole = (match[2] ?? '').replace(/^0+(?=\d)/, '') || '0';
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  const number = fraction === '' ? whole : `${whole}.${fraction}`;
  return match[1] === '-' && number !== '0' ? `-${number}` : number;
}

function natural(text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text) || !Number.isSafeInteger(Number(text))) {
    throw new Error(`no natural number: ${JSON.stringify(text)}`);
  }
  return Number(text);
}

/** Reads a number field: base-256 where its first bit is set, else octal among spaces and NULs, empty being 0. */
function numberField(block: Uint8Array, offset: number, width: number): bigint {
  const field = block.subarray(offset, offset + width);
  const first = field[0] ?? 0;
  if (first >= 0x80) {
    let value = 0n;
    for (const byte of field) value = value * 256n + BigInt(byte);
    const bits = BigInt(width * 8 - 1);
    // The mark is the top bit; below it lies a two's complement number of the remaining bits.
    return BigInt.asIntN(Number(bits), value & ((1n << bits) - 1n));
  }
  const text = byteString(field).replace(/^[ \0]+|[ \0]+$/g, '');
  if (text === '') return 0n;
  if (!/^[0-7]+$/.test(text)) throw new Error(`no octal number: ${JSON.stringify(text)}`);
  return BigInt(`0o${text}`);
}

function textField(block: Uint8Array, offset: number, width: number): ByteString {
  return beforeNul(byteString(block.subarray(offset, offset + width)));
}

function beforeNul(text: ByteString): ByteString {
  const nul = text.indexOf('\0');
  return nul === -1 ? text : text.slice(0, nul);
}

function take(tar: Uint8Array, offset: number, size: number): Uint8Array {
  if (size < 0 || offset + size > tar.length) throw new Error('the archive ends inside an entry');
  return tar.subarray(offset, offset + size);
}

function paddedSize(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
