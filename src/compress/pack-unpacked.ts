import type { PackedEncoding } from '../codec/encoding.ts';
import type { Transform } from '../image/image.ts';
import { isPacked, mapEncodings } from './map-encodings.ts';

/**
 * Packs the plain layers for which no other transform has planned an encoding. For sources that have unpacked their layers, and
 * after all other transforms.
 */
export function packUnpacked(encoding: PackedEncoding): Transform {
  return (image) =>
    mapEncodings(image, (before, number) =>
      before.kind === 'keep' && isPacked(image, number, 'none') ? { ...encoding, minSavings: null } : before,
    );
}
