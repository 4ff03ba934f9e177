import type { Compression } from '../oci/media-type.ts';
import { formatNames } from './encoding.ts';
import { type Format, formats } from './formats.ts';

/**
 * Returns the format that the first bytes of a blob show: `none` where they show none, `empty` for no bytes at all. Give
 * at least four bytes where the blob has them.
 */
export function detect(head: Uint8Array): Compression | 'empty' {
  if (head.length === 0) return 'empty';
  const hex = Buffer.from(head.subarray(0, 4)).toString('hex');
  return formatNames.find((name) => (formats[name] as Format).magic?.test(hex) === true) ?? 'none';
}
