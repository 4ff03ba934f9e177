/**
 * Reads and writes the numbers of header fields. All readers of headers call it, and `head.ts` to write.
 */
import { OcislimError } from '../errors.ts';

/**
 * Reads a numeric header field: octal text with leading or trailing spaces and NULs, or base-256 two's complement
 * when the top bit of the first byte is set (GNU; POSIX.1-1988 ustar for the rest).
 * @throws TAR_INVALID naming `field`
 */
export function readNumber(block: Uint8Array, offset: number, length: number, field: string): number {
  const first = block[offset] as number;
  if ((first & 0x80) !== 0) return readBase256(block, offset, length, field);
  return readOctal(block, offset, length, field);
}

/** Reads a field that is never in base 256. @throws TAR_INVALID naming `field` */
export function readOctal(block: Uint8Array, offset: number, length: number, field: string): number {
  const value = parseOctal(block, offset, length);
  if (!Number.isSafeInteger(value)) throw invalid(field);
  return value;
}

/** Tells whether Go can read the field. Its numbers have 64 bits; ours, which must be exact as doubles, have 53. */
export function isNumber(block: Uint8Array, offset: number, length: number): boolean {
  if (((block[offset] as number) & 0x80) === 0) return !Number.isNaN(parseOctal(block, offset, length));
  const value = parseBase256(block, offset, length);
  return BigInt.asIntN(64, value) === value;
}

/** Tells whether the field has octal digits, and a NUL or blank at the end. Nearly all fields do, and this check is the faster one. */
export function isPlainOctal(block: Uint8Array, offset: number, length: number): boolean {
  const last = offset + length - 1;
  for (let i = offset; i < last; i++) if (((block[i] as number) & 0xf8) !== 0x30) return false;
  return isBlank(block[last] as number);
}

/** Returns NaN for a field that is not octal. */
function parseOctal(block: Uint8Array, offset: number, length: number): number {
  let at = offset;
  let end = offset + length;
  while (at < end && isBlank(block[at] as number)) at++;
  while (end > at && isBlank(block[end - 1] as number)) end--;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] as number) - 0x30;
    if ((block[at] as number) === 0) break;
    if (digit < 0 || digit > 7) return Number.NaN;
    value = value * 8 + digit;
  }
  return value;
}

function readBase256(block: Uint8Array, offset: number, length: number, field: string): number {
  const value = parseBase256(block, offset, length);
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))
    throw invalid(field);
  return Number(value);
}

function parseBase256(block: Uint8Array, offset: number, length: number): bigint {
  const negative = ((block[offset] as number) & 0x40) !== 0;
  let value = 0n;
  for (let i = 0; i < length; i++) {
    let byte = block[offset + i] as number;
    if (i === 0) byte &= 0x7f;
    if (negative) byte = i === 0 ? byte ^ 0x7f : byte ^ 0xff;
    value = (value << 8n) | BigInt(byte);
  }
  return negative ? -value - 1n : value;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0;
}

function invalid(field: string): OcislimError {
  return new OcislimError('TAR_INVALID', `a tar header has an unreadable ${field}`);
}

/** Writes octal digits, zero-filled, and a NUL. The value must fit. */
export function writeOctal(block: Uint8Array, offset: number, length: number, value: number): void {
  const digits = value.toString(8).padStart(length - 1, '0');
  if (value < 0 || digits.length >= length)
    throw new RangeError(`${value} does not fit into ${length} bytes`);
  for (let i = 0; i < digits.length; i++) block[offset + i] = digits.charCodeAt(i);
  block[offset + length - 1] = 0;
}
