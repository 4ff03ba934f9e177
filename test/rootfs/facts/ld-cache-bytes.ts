/** A row of a cache to be written. */
export interface Row {
  readonly name: string;
  readonly path: string;
  readonly hwcap?: bigint;
}

interface Form {
  readonly endian?: 'little' | 'big';
  /** Whether the cache is behind one in the older format, as glibc before 2.32 wrote it. */
  readonly compat?: boolean;
  /** Whether the field for the byte order is 0, as before glibc 2.33. */
  readonly unmarked?: boolean;
}

/** Writes an etc/ld.so.cache in the format `glibc-ld.so.cache1.1`. */
export function writeLdCache(
  rows: readonly Row[],
  { endian = 'little', compat = false, unmarked = false }: Form = {},
): Uint8Array {
  const little = endian === 'little';
  const strings: string[] = [];
  let at = 48 + rows.length * 24;
  const place = (text: string): number => {
    strings.push(`${text}\0`);
    at += text.length + 1;
    return at - text.length - 1;
  };
  const table = new DataView(new ArrayBuffer(at));
  Buffer.from(table.buffer).write('glibc-ld.so.cache1.1', 'latin1');
  table.setUint32(20, rows.length, little);
  if (!unmarked) table.setUint8(28, little ? 2 : 3);
  rows.forEach(({ name, path, hwcap = 0n }, i) => {
    const row = 48 + i * 24;
    table.setInt32(row, 0x303, little);
    table.setUint32(row + 4, place(name), little);
    table.setUint32(row + 8, place(path), little);
    table.setBigUint64(row + 16, hwcap, little);
  });
  table.setUint32(24, at - 48 - rows.length * 24, little);
  const cache = Buffer.concat([Buffer.from(table.buffer), Buffer.from(strings.join(''), 'latin1')]);
  if (!compat) return new Uint8Array(cache);
  // Three rows of the older format, 12 bytes each: not aligned to 8.
  const old = new DataView(new ArrayBuffer(16 + 36 + 4));
  Buffer.from(old.buffer).write('ld.so-1.7.0\0', 'latin1');
  old.setUint32(12, 3, little);
  return new Uint8Array(Buffer.concat([Buffer.from(old.buffer), cache]));
}
