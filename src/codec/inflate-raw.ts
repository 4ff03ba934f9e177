import { constants, inflateRawSync } from 'node:zlib';

/** Unpacks what is there of a deflate stream (RFC 1951), up to `most` bytes; null for damaged or longer data. */
export function inflateRaw(bytes: Uint8Array, most: number): Uint8Array | null {
  try {
    return inflateRawSync(bytes, { maxOutputLength: most, finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return null;
  }
}
