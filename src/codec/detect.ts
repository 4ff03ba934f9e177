import type { Compression } from '../oci/media-type.ts';

/**
 * What the first bytes of a blob say: gzip (RFC 1952 section 2.3.1), zstd (a frame, or a skippable one: RFC 8878 section
 * 3.1), `none` for everything else, `empty` for no bytes at all. Give at least four bytes where the blob has them.
 */
export function detect(head: Uint8Array): Compression | 'empty' {
  const [a, b, c, d] = head;
  if (a === undefined) return 'empty';
  if (a === 0x1f && b === 0x8b) return 'gzip';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  if ((a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd';
  return 'none';
}
