/**
 * The two transforms behind an image that is packed in two ways: what every client reads, and the same in zstd. `planImages` applies them after
 * all others.
 */
import { type PackedEncoding, usualEncoding } from '../codec/encoding.ts';
import type { Image } from '../image/image.ts';
import { isPacked, mapEncodings } from './map-encodings.ts';

/** Packs with gzip what would be in zstd: old clients take the first row of an index. */
export function gzipFirst(image: Image): Image {
  return mapEncodings(image, (before, number) => {
    if (before.kind === 'tuned') return { ...before, format: 'gzip' };
    const isZstd = before.kind === 'zstd' || (before.kind === 'keep' && isPacked(image, number, 'zstd'));
    return isZstd ? { ...usualEncoding('gzip'), minSavings: null } : before;
  });
}

/** Packs all layers in one way. One that cannot be read stays as it is when layers are written, with a warning. */
export function packAll(encoding: PackedEncoding): (image: Image) => Image {
  return (image) => mapEncodings(image, () => ({ ...encoding, minSavings: null }));
}
