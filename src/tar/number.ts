import { OcislimError } from '../errors.ts';

/**
 * Reads a numeric header field: octal text with leading or trailing spaces and NULs, or base-256 two's complement
 * when the top bit of the first byte is set (GNU; POSIX.1-1988 ustar for the rest).
 * @throws TAR_INVALID naming `field`
 */
export function readNumber(block: Uint8Array, offset: number, length: number, field: string): number {
  const first = block[offset] as number;
  if ((first & 0x80) !== 0) return readBase256(block, offset, length, field);
  let at = offset;
  let end = offset + length;
  while (at < end && isBlank(block[at] as number)) at++;
  while (end > at && isBlank(block[end - 1] as number)) end--;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] as number) - 0x30;
    if ((block[at] as number) === 0) break;
    if (digit < 0 || digit > 7) throw invalid(field);
    value = value * 8 + digit;
  }
  if (!Number.isSafeInteger(value)) throw invalid(field);
  return value;
}

function readBase256(block: Uint8Array, offset: number, length: number, field: string): number {
  const negative = ((block[offset] as number) & 0x40) !== 0;
  let value = 0n;
  for (let i = 0; i < length; i++) {
    let byte = block[offset + i] as number;
    if (i === 0) byte &= 0x7f;
    if (negative) byte = i === 0 ? byte ^ 0x7f : byte ^ 0xff;
    value = (value << 8n) | BigInt(byte);
  }
  const signed = negative ? -value - 1n : value;
  if (signed > BigInt(Number.MAX_SAFE_INTEGER) || signed < BigInt(Number.MIN_SAFE_INTEGER))
    throw invalid(field);
  return Number(signed);
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
