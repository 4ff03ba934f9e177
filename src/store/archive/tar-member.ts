import { bytesOf } from '../../bytes/bytes.ts';
import { blockSize, sealHeader } from '../../tar/header.ts';
import { writeOctal } from '../../tar/number.ts';

/** Eleven octal digits: larger sizes are written in base 256, which every reader of today knows. */
const maxOctalSize = 8 ** 11 - 1;

/**
 * The one header block of a member of an image archive: mode 0644 (0755 for a name that ends in a slash, a folder),
 * owner 0:0, time 0. Names have at most 100 bytes.
 */
export function memberHeader(name: string, size: number): Uint8Array {
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
  block.set(bytesOf(size <= maxOctalSize ? 'ustar\x0000' : 'ustar  \0'), 257);
  sealHeader(block);
  return block;
}

function writeBase256(block: Uint8Array, size: number): void {
  block[124] = 0x80;
  new DataView(block.buffer, block.byteOffset).setBigUint64(128, BigInt(size));
}
