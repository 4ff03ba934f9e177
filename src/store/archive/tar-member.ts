import { bytesOf, ascii, type ByteString } from '../../bytes/bytes.ts';
import { blockSize, sealHeader } from '../../tar/header.ts';
import { writeOctal } from '../../tar/number.ts';

/** The most that eleven octal digits hold. Larger sizes are written in base 256, which all current readers know. */
const maxOctalSize = 8 ** 11 - 1;

/**
 * Makes the header block of a member of an image archive (POSIX.1-1988 ustar): owner 0:0, time 0, mode 0644, or 0755 for a
 * folder, whose name ends in a slash. `size` in bytes. Names have at most 100 bytes.
 */
export function memberHeader(name: ByteString, size: number): Uint8Array {
  const folder = name.endsWith('/');
  const block = new Uint8Array(blockSize);
  const bytes = bytesOf(name);
  if (bytes.length > 100) throw new RangeError(`a name of ${bytes.length} bytes`);
  block.set(bytes, 0);
  writeOctal(block, 100, 8, folder ? 0o755 : 0o644);
  writeOctal(block, 108, 8, 0);
  writeOctal(block, 116, 8, 0);
  if (size <= maxOctalSize) writeOctal(block, 124, 12, size);
  else writeBase256(block, size);
  writeOctal(block, 136, 12, 0);
  block[156] = (folder ? '5' : '0').charCodeAt(0);
  block.set(bytesOf(size <= maxOctalSize ? ascii`ustar\x0000` : ascii`ustar  \0`), 257);
  sealHeader(block);
  return block;
}

function writeBase256(block: Uint8Array, size: number): void {
  block[124] = 0x80;
  new DataView(block.buffer, block.byteOffset).setBigUint64(128, BigInt(size));
}
