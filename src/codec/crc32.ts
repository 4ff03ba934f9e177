/** The CRC-32 of gzip and zip (ISO 3309), by zlib. */
import { crc32 as zlibCrc32 } from 'node:zlib';

/** Adds bytes to a checksum, which begins at 0. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return zlibCrc32(bytes, before);
}
