/**
 * Reads single header blocks. `TarReader` and the index of image archives read with it; extension headers are not applied
 * here.
 */
import { OcislimError } from '../errors.ts';
import { type ByteString, readField, ascii, noBytes } from '../bytes/bytes.ts';
import { isNumber, isPlainOctal, readNumber, readOctal, writeOctal } from './number.ts';

export const blockSize = 512;

/** Bytes that headers are read from, at any offset. */
export interface Block {
  readonly bytes: Uint8Array;
  /** The same bytes, to read text from. */
  readonly text: Buffer;
  /** The same bytes four at a time; null where they are not aligned in memory. */
  readonly words: Int32Array | null;
}

/** Returns views of the bytes, which are not copied. */
export function blockOf(chunk: Uint8Array): Block {
  const { buffer, byteOffset, length } = chunk;
  return {
    // A part of a Buffer is a Buffer, which takes three times as long to make.
    bytes: new Uint8Array(buffer, byteOffset, length),
    text: Buffer.from(buffer, byteOffset, length),
    words: byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, length >>> 2) : null,
  };
}

export const emptyBlock: Block = blockOf(new Uint8Array(0));

/** What a header block says, without its names. */
export interface HeaderFields {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly size: number;
  readonly type: string;
}

/** What one 512-byte header block says, extensions not applied (POSIX ustar; GNU; STAR; V7). */
export interface Header extends HeaderFields {
  readonly name: ByteString;
  readonly link: ByteString;
  readonly gnu: boolean;
}

export function isZeroBlock(bytes: Uint8Array, at = 0): boolean {
  for (let i = at; i < at + blockSize; i++) if (bytes[i] !== 0) return false;
  return true;
}

export function isZero(bytes: Uint8Array, from: number): boolean {
  for (let i = from; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Reads a header block with its names. @throws TAR_INVALID on a wrong checksum or an unreadable field */
export function parseHeader(bytes: Uint8Array): Header {
  const block = blockOf(bytes);
  return {
    ...readHeader(block, 0),
    name: readName(block, 0),
    link: readLink(block, 0),
    gnu: isGnu(bytes, 0),
  };
}

/**
 * Reads the numbers of the header at `at`. Go refuses an archive for any unreadable number, so that no runtime would unpack
 * it: fields that ocislim does not use are checked too.
 * @throws TAR_INVALID on a wrong checksum or an unreadable field.
 */
export function readHeader(block: Block, at: number): HeaderFields {
  const { bytes } = block;
  checkSum(block, at);
  const size = readNumber(bytes, at + 124, 12, 'size');
  if (size < 0) throw new OcislimError('TAR_INVALID', 'a tar header states a negative size');
  const gid = readNumber(bytes, at + 116, 8, 'group');
  const mtime = readNumber(bytes, at + 136, 12, 'time');
  // V7 headers end before.
  if (hasNames(bytes, at)) {
    checkNumber(bytes, at + 329, 8, 'device number');
    checkNumber(bytes, at + 337, 8, 'device number');
    if (isStar(bytes, at)) {
      checkNumber(bytes, at + 476, 12, 'access time');
      checkNumber(bytes, at + 488, 12, 'change time');
    }
  }
  return {
    type: String.fromCharCode(bytes[at + 156] as number),
    size,
    mode: readNumber(bytes, at + 100, 8, 'mode'),
    uid: readNumber(bytes, at + 108, 8, 'owner'),
    gid,
    mtime,
  };
}

/** Reads the name of the header at `at`, prefix included. */
export function readName({ bytes, text }: Block, at: number): ByteString {
  const name = readField(text, at, 100);
  if (bytes[at + 345] === 0) return name;
  const prefix = readPrefix(text, at);
  return prefix === '' ? name : ascii`${prefix}/${name}`;
}

/** Reads the link target of the header at `at`. */
export function readLink({ text }: Block, at: number): ByteString {
  return readField(text, at + 157, 100);
}

function readPrefix(text: Buffer, at: number): ByteString {
  if (isGnu(text, at)) {
    // GNU headers keep times there; a writer of old (Go before 1.8) put a prefix all the same, which Go still reads
    // where it is ASCII and no times.
    if (isTime(text, at + 345) && isTime(text, at + 357)) return noBytes;
    const prefix = readField(text, at + 345, 155);
    return isAscii(prefix) ? prefix : noBytes;
  }
  if (!hasMagic(text, at, ustarMagic)) return noBytes;
  return readField(text, at + 345, isStar(text, at) ? 131 : 155);
}

/** Tells whether a field of a GNU header holds a time, or nothing. */
function isTime(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0 || isNumber(bytes, at, 12);
}

function isAscii(text: ByteString): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

const ustarMagic = 'ustar\0';

/** Tells whether the header has names of owners and device numbers. V7 headers end before these. */
export function hasNames(bytes: Uint8Array, at = 0): boolean {
  return hasMagic(bytes, at, ustarMagic) || isGnu(bytes, at);
}

/** Tells whether the header at `at` has the magic of GNU tar. */
export function isGnu(bytes: Uint8Array, at: number): boolean {
  return hasMagic(bytes, at, 'ustar  \0');
}

/** Tells whether star has written a ustar header: its prefix is shorter, and two times follow it. */
export function isStar(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at + 508] === 0x74 && bytes[at + 509] === 0x61 && bytes[at + 510] === 0x72 && bytes[at + 511] === 0
  );
}

function checkNumber(bytes: Uint8Array, at: number, length: number, field: string): void {
  if (!isPlainOctal(bytes, at, length)) readNumber(bytes, at, length, field);
}

function hasMagic(bytes: Uint8Array, at: number, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) if (bytes[at + 257 + i] !== magic.charCodeAt(i)) return false;
  return true;
}

/** Checks the checksum. Some old writers added up signed bytes, so that either sum is accepted. */
function checkSum({ bytes, words }: Block, at: number): void {
  // Octal even where other fields may be in base 256.
  const stated = readOctal(bytes, at + 148, 8, 'checksum');
  // The field itself counts as spaces.
  const unsigned = 8 * 0x20 + sumOf(bytes, words, at);
  if (stated === unsigned || stated === unsigned - 256 * countHigh(bytes, at)) return;
  throw new OcislimError('TAR_INVALID', 'a tar header has a wrong checksum');
}

/** Returns the sum of the bytes of a header outside of the checksum field. */
function sumOf(bytes: Uint8Array, words: Int32Array | null, at: number): number {
  if (words === null || at % 4 !== 0) {
    let sum = 0;
    for (let i = 0; i < 148; i++) sum += bytes[at + i] as number;
    for (let i = 156; i < blockSize; i++) sum += bytes[at + i] as number;
    return sum;
  }
  // Two bytes of a word are added to two at once: 128 of them stay within the 16 bits that each has.
  let even = 0;
  let odd = 0;
  const first = at >>> 2;
  for (let i = first; i < first + blockSize / 4; i++) {
    const word = words[i] as number;
    even += word & 0xff00ff;
    odd += (word >>> 8) & 0xff00ff;
  }
  const sum = (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
  let field = 0;
  for (let i = 148; i < 156; i++) field += bytes[at + i] as number;
  return sum - field;
}

function countHigh(bytes: Uint8Array, at: number): number {
  let high = 0;
  for (let i = 0; i < blockSize; i++) if (i < 148 || i >= 156) high += (bytes[at + i] as number) >>> 7;
  return high;
}

/** Writes the checksum of a block. */
export function sealHeader(block: Uint8Array): void {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (let i = 0; i < blockSize; i++) sum += block[i] as number;
  writeOctal(block, 148, 7, sum);
  block[155] = 0x20;
}
