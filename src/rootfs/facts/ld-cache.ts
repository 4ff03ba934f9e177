import { type ByteString, ascii } from '../../bytes/bytes.ts';
import { readByteString } from '../../bytes/bytes.ts';

/** A row of etc/ld.so.cache: a library by name, and where ldconfig found it. */
export interface CachedLibrary {
  readonly name: ByteString;
  readonly path: ByteString;
  /** For processors that can more than others: a machine that can less takes another row. */
  readonly special: boolean;
}

const newMagic = ascii`glibc-ld.so.cache1.1`;
const oldMagic = ascii`ld.so-1.7.0\0`;
const headBytes = 48;
const rowBytes = 24;
const maxName = 4096;

/**
 * Reads etc/ld.so.cache (glibc, sysdeps/generic/dl-cache.h: the format of glibc 2.2 and later, alone or behind the older
 * one), rows in the file's order, which is that of preference for each name. Null for what is no such cache. Rows of all
 * architectures and hwcaps come: who looks one up opens the file to see whether it fits. Never throws.
 */
export function parseLdCache(bytes: Uint8Array): readonly CachedLibrary[] | null {
  const start = findStart(bytes);
  if (start === null || start + headBytes > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // 2 little endian, 3 big endian, 0 from before the flag: then the count tells, since one of the two is absurd.
  const flag = (bytes[start + 28] as number) & 3;
  const count = (little: boolean): number => view.getUint32(start + 20, little);
  const little = flag === 2 || (flag !== 3 && count(true) <= count(false));
  const rows: CachedLibrary[] = [];
  const most = Math.min(count(little), Math.floor((bytes.length - start - headBytes) / rowBytes));
  for (let i = 0; i < most; i++) {
    const at = start + headBytes + i * rowBytes;
    // Offsets count from the beginning of the new format.
    const name = nameAt(bytes, start + view.getUint32(at + 4, little));
    const path = nameAt(bytes, start + view.getUint32(at + 8, little));
    const special = view.getUint32(at + 16, little) !== 0 || view.getUint32(at + 20, little) !== 0;
    if (name !== null && path !== null) rows.push({ name, path, special });
  }
  return rows;
}

function findStart(bytes: Uint8Array): number | null {
  const starts = (magic: ByteString, at: number): boolean =>
    readByteString(bytes, at, Math.min(bytes.length, at + magic.length)) === magic;
  if (starts(newMagic, 0)) return 0;
  if (!starts(oldMagic, 0) || bytes.length < 16) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const little of [true, false]) {
    // 12 bytes a row, then aligned as 64-bit numbers are.
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
