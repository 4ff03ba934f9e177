/**
 * Makes header blocks for entries that have none. `head.ts` calls it for layers, `new-head.ts` for new tars, and the archive writer for
 * the members of image archives.
 */
import { ascii, type ByteString, bytesOf, noBytes } from '../bytes/bytes.ts';
import { blockSize, sealHeader } from './header.ts';
import { writeOctal } from './number.ts';
import { encodePax, type PaxRecords } from './pax.ts';
import { padded } from './reader.ts';

/** The most that eleven octal digits hold. Larger sizes are written in base 256, which all current readers know. */
const maxOctalSize = 8 ** 11 - 1;

/** Bytes of the longest name, and of the longest link target, that a header block holds without a prefix. */
export const maxName = 100;

/** The name of extended headers of layers. Readers ignore it. */
export const paxName: ByteString = ascii`PaxHeaders.0/entry`;

/** The fields of a new header. Names longer than `maxName` are cut: an extension before the header has the whole. */
export interface NewHeader {
  readonly name: ByteString;
  /** The type character. */
  readonly type: string;
  /** Permission bits. */
  readonly mode: number;
  /** Default: 0. At most 2,097,151, as for the group. */
  readonly uid?: number;
  /** Default: 0. */
  readonly gid?: number;
  /** Bytes of the body. Default: 0. */
  readonly size?: number;
  /** Seconds since 1970, not negative. Default: 0. */
  readonly mtime?: number;
  /** Default: no target. */
  readonly link?: ByteString;
  /** The numbers of a device. Default: none are written. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** Whether the magic is that of GNU tar, not that of POSIX. Default: only for a size that POSIX has no digits for. */
  readonly gnu?: boolean;
}

/** Makes a header block (POSIX.1-1988 ustar), without names of owners. @throws RangeError for a number that does not fit */
export function headerBlock(header: NewHeader): Uint8Array {
  const { name, type, mode, uid = 0, gid = 0, size = 0, mtime = 0, link = noBytes } = header;
  const block = new Uint8Array(blockSize);
  block.set(bytesOf(name).subarray(0, maxName), 0);
  writeOctal(block, 100, 8, mode);
  writeOctal(block, 108, 8, uid);
  writeOctal(block, 116, 8, gid);
  const isLarge = size > maxOctalSize;
  if (isLarge) writeBase256(block, size);
  else writeOctal(block, 124, 12, size);
  writeOctal(block, 136, 12, mtime);
  block[156] = type.charCodeAt(0);
  block.set(bytesOf(link).subarray(0, maxName), 157);
  block.set(bytesOf((header.gnu ?? isLarge) ? ascii`ustar  \0` : ascii`ustar\x0000`), 257);
  if (header.device !== undefined) {
    writeOctal(block, 329, 8, header.device.major);
    writeOctal(block, 337, 8, header.device.minor);
  }
  sealHeader(block);
  return block;
}

/** Makes the blocks of an extended header: `name` is its own, which readers ignore (POSIX.1-2001, "pax Extended Header"). */
export function paxBlocks(name: ByteString, records: PaxRecords): readonly Uint8Array[] {
  const body = encodePax(records);
  return [headerBlock({ name, type: 'x', mode: 0o644, size: body.length }), wholeBlocks(body)];
}

/** Returns bytes with zeros after them to the end of their last block. */
export function wholeBlocks(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(padded(bytes.length));
  whole.set(bytes);
  return whole;
}

/** Returns the zeros that fill the last block of a body. */
export function paddingOf(size: number): Uint8Array {
  return new Uint8Array(padded(size) - size);
}

function writeBase256(block: Uint8Array, size: number): void {
  block[124] = 0x80;
  new DataView(block.buffer, block.byteOffset).setBigUint64(128, BigInt(size));
}
