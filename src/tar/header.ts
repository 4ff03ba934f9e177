import { OcislimError } from '../errors.ts';
import { type ByteString, readField } from './bytes.ts';
import { readNumber, writeOctal } from './number.ts';

export const blockSize = 512;

/** What one 512-byte header block says, extensions not applied (POSIX ustar; GNU; STAR; V7). */
export interface Header {
  readonly name: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly size: number;
  readonly type: string;
  readonly link: ByteString;
  readonly gnu: boolean;
}

export function isZeroBlock(block: Uint8Array): boolean {
  for (let i = 0; i < blockSize; i++) if (block[i] !== 0) return false;
  return true;
}

/** @throws TAR_INVALID on a wrong checksum or an unreadable field. */
export function parseHeader(block: Uint8Array): Header {
  checkSum(block);
  const gnu = hasMagic(block, 'ustar  \0');
  const type = String.fromCharCode(block[156] as number);
  const size = readNumber(block, 124, 12, 'size');
  if (size < 0) throw new OcislimError('TAR_INVALID', 'a tar header states a negative size');
  const name = readField(block, 0, 100);
  const prefix = readPrefix(block, gnu);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: readNumber(block, 100, 8, 'mode'),
    uid: readNumber(block, 108, 8, 'owner'),
    size,
    type,
    link: readField(block, 157, 100),
    gnu,
  };
}

function readPrefix(block: Uint8Array, gnu: boolean): ByteString {
  if (block[345] === 0) return '';
  if (gnu) {
    // GNU headers keep times there; a writer of old (Go before 1.8) put a prefix all the same. Digits tell them apart.
    const text = readField(block, 345, 155);
    return /^[0-7 ]*$/.test(text) || ((block[345] as number) & 0x80) !== 0 ? '' : text;
  }
  if (!hasMagic(block, 'ustar\0')) return '';
  const star = readField(block, 508, 4) === 'tar';
  return readField(block, 345, star ? 131 : 155);
}

function hasMagic(block: Uint8Array, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) if (block[257 + i] !== magic.charCodeAt(i)) return false;
  return true;
}

/** Either sum is accepted: some old writers added up signed bytes. */
function checkSum(block: Uint8Array): void {
  const stated = readNumber(block, 148, 8, 'checksum');
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let i = 0; i < blockSize; i++) {
    if (i >= 148 && i < 156) continue;
    const byte = block[i] as number;
    unsigned += byte;
    high += byte >>> 7;
  }
  if (stated !== unsigned && stated !== unsigned - 256 * high) {
    throw new OcislimError('TAR_INVALID', 'a tar header has a wrong checksum');
  }
}

/** Puts the checksum of the block in its place. */
export function sealHeader(block: Uint8Array): void {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (let i = 0; i < blockSize; i++) sum += block[i] as number;
  writeOctal(block, 148, 7, sum);
  block[155] = 0x20;
}
