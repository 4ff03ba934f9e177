/**
 * The heads of the members of an image archive. The archive writer reserves room for one before the bytes that follow it.
 */
import { ascii, type ByteString, bytesOf } from '../../bytes/bytes.ts';
import { concat } from '../../stream/collect.ts';
import { blockSize, sealHeader } from '../../tar/header.ts';
import { writeOctal } from '../../tar/number.ts';
import { encodePax } from '../../tar/pax.ts';
import { padded } from '../../tar/reader.ts';

/** The most that eleven octal digits hold. Larger sizes are written in base 256, which all current readers know. */
const maxOctalSize = 8 ** 11 - 1;

/** The longest name that a header block holds. A blob of sha512 has a longer one, which no slash divides as ustar needs. */
const maxName = 100;

/**
 * Makes the head of a member of an image archive: owner 0:0, time 0, mode 0644, or 0755 for a folder, whose name ends in a slash. A
 * name of more than 100 bytes is in a PAX extended header before it (POSIX.1-2001, "pax Extended Header"). `size` in bytes.
 */
export function memberHead(name: ByteString, size: number): Uint8Array {
  const bytes = bytesOf(name);
  if (bytes.length <= maxName) return headerBlock(bytes, size, typeOf(name));
  const records = encodePax([[ascii`path`, name]]);
  const body = new Uint8Array(padded(records.length));
  body.set(records);
  return concat([
    headerBlock(bytesOf(ascii`PaxHeaders`), records.length, 'x'),
    body,
    headerBlock(bytes.subarray(0, maxName), size, typeOf(name)),
  ]);
}

/** Returns the length in bytes of the head of a member, which does not depend on the member's size. */
export function headLength(name: ByteString): number {
  return memberHead(name, 0).length;
}

function typeOf(name: ByteString): '0' | '5' {
  return name.endsWith('/') ? '5' : '0';
}

/** Makes a header block (POSIX.1-1988 ustar). */
function headerBlock(name: Uint8Array, size: number, type: '0' | '5' | 'x'): Uint8Array {
  const block = new Uint8Array(blockSize);
  block.set(name, 0);
  writeOctal(block, 100, 8, type === '5' ? 0o755 : 0o644);
  writeOctal(block, 108, 8, 0);
  writeOctal(block, 116, 8, 0);
  if (size <= maxOctalSize) writeOctal(block, 124, 12, size);
  else writeBase256(block, size);
  writeOctal(block, 136, 12, 0);
  block[156] = type.charCodeAt(0);
  block.set(bytesOf(size <= maxOctalSize ? ascii`ustar\x0000` : ascii`ustar  \0`), 257);
  sealHeader(block);
  return block;
}

function writeBase256(block: Uint8Array, size: number): void {
  block[124] = 0x80;
  new DataView(block.buffer, block.byteOffset).setBigUint64(128, BigInt(size));
}
