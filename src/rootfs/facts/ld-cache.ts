/**
 * Reads etc/ld.so.cache, the index of libraries that ldconfig(8) writes and the loader of glibc reads. The search for libraries in
 * `closure` calls it.
 */
import { type ByteString, ascii } from '../../bytes/bytes.ts';
import { readByteString } from '../../bytes/bytes.ts';

/** A row of the cache. */
export interface CachedLibrary {
  /** The name by which others need the library: "libssl.so.3". */
  readonly name: ByteString;
  /** Where ldconfig found it. */
  readonly path: ByteString;
  /** Whether the row is for processors with certain capabilities (hwcaps). The loader of another processor skips it. */
  readonly special: boolean;
}

const newMagic = ascii`glibc-ld.so.cache1.1`;
const oldMagic = ascii`ld.so-1.7.0\0`;
/** Sizes of the new format: its head, and one row. */
const headBytes = 48;
const rowBytes = 24;
const maxName = 4096;

/**
 * Reads the rows of a cache in their order, which is that of preference among rows of one name (glibc,
 * sysdeps/generic/dl-cache.h: the format since 2.2, alone or behind the older one). Rows of all architectures and hwcaps are
 * returned: the caller checks whether a library fits. Null for a file of another format. Never throws.
 */
export function parseLdCache(bytes: Uint8Array): readonly CachedLibrary[] | null {
  const start = findStart(bytes);
  if (start === null || start + headBytes > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Flag 2 is little endian, 3 big endian. Before glibc 2.33 it is 0; then the smaller count is right, the other being absurd.
  const flag = (bytes[start + 28] as number) & 3;
  const count = (little: boolean): number => view.getUint32(start + 20, little);
  const little = flag === 2 || (flag !== 3 && count(true) <= count(false));
  const rows: CachedLibrary[] = [];
  const most = Math.min(count(little), Math.floor((bytes.length - start - headBytes) / rowBytes));
  for (let i = 0; i < most; i++) {
    const at = start + headBytes + i * rowBytes;
    // Offsets of strings count from the beginning of the new format.
    const name = nameAt(bytes, start + view.getUint32(at + 4, little));
    const path = nameAt(bytes, start + view.getUint32(at + 8, little));
    const special = view.getUint32(at + 16, little) !== 0 || view.getUint32(at + 20, little) !== 0;
    if (name !== null && path !== null) rows.push({ name, path, special });
  }
  return rows;
}

/** Finds the beginning of the new format; null where the file has none. */
function findStart(bytes: Uint8Array): number | null {
  const starts = (magic: ByteString, at: number): boolean =>
    readByteString(bytes, at, Math.min(bytes.length, at + magic.length)) === magic;
  if (starts(newMagic, 0)) return 0;
  if (!starts(oldMagic, 0) || bytes.length < 16) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const little of [true, false]) {
    // The rows of the old format have 12 bytes each. The new one is aligned as its 64-bit numbers are.
    const end = 16 + view.getUint32(12, little) * 12;
    for (const at of [end, Math.ceil(end / 8) * 8]) if (at < bytes.length && starts(newMagic, at)) return at;
  }
  return null;
}

function nameAt(bytes: Uint8Array, offset: number): ByteString | null {
  if (offset >= bytes.length) return null;
  const end = bytes.subarray(0, offset + maxName).indexOf(0, offset);
  return end <= offset ? null : readByteString(bytes, offset, end);
}
