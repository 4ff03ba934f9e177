/**
 * Decides how a layer is packed, and whether a new packing is worth it. The layer writer asks before and after it packs, and dry runs ask
 * for their estimates.
 */
import { usualEncoding } from '../../codec/encoding.ts';
import {
  decidedEncodingOf,
  type Encoding,
  type Image,
  type Layer,
  layerOf,
  type MinSavings,
  topOf,
} from '../../image/image.ts';
import { layerKind } from '../../oci/media-type.ts';
import type { Target } from '../../place/place.ts';
import type { ResolvedContent } from '../../slim/resolve/resolve.ts';

/**
 * Returns how to pack a layer. Changed contents and targets of plain layers need a real encoding in place of `keep`.
 * @throws INTERNAL for a tuned layer that has not been decided
 */
export function chooseEncoding(
  { layerFormat }: Pick<Target, 'layerFormat'>,
  image: Image,
  layer: Layer,
  content: ResolvedContent,
): Encoding {
  const wish = decidedEncodingOf(layer);
  if (content.kind === 'added') return chooseForAdded(layerFormat, image, wish);
  // What is restored to an image without layers is packed as the original is.
  const top = Math.max(topOf(layer.content), 1);
  const kind = layerKind(layerOf(image, top).descriptor.mediaType);
  // Only a stored layer can be of another kind: the reader has refused all others.
  if (kind.kind !== 'layer') return layerFormat === 'plain' ? { kind: 'keep' } : wish;
  if (layerFormat === 'plain') {
    const isPlain = content.kind === 'stored' && kind.compression === 'none';
    return isPlain ? { kind: 'keep' } : { kind: 'none', minSavings: null };
  }
  if (wish.kind !== 'keep' || content.kind === 'stored') return wish;
  return { ...usualEncoding(kind.compression), minSavings: null };
}

/** Returns how to pack a new layer: as the one below it where nothing else is wanted, and as gzip on an image without layers. */
function chooseForAdded(layerFormat: Target['layerFormat'], image: Image, wish: Encoding): Encoding {
  if (layerFormat === 'plain') return { kind: 'none', minSavings: null };
  if (wish.kind !== 'keep') return wish;
  const below = image.manifest.layers.at(-1);
  const kind = below === undefined ? null : layerKind(below.mediaType);
  const compression = kind?.kind === 'layer' ? kind.compression : 'gzip';
  return { ...usualEncoding(compression), minSavings: null };
}

/** A new packing of a blob, compared with the old one. Sizes in bytes. */
export interface PackingResult {
  readonly before: number;
  readonly after: number;
  readonly minSavings: MinSavings | null;
  /** Whether both have the same format. */
  readonly isSameFormat: boolean;
}

/**
 * Returns whether a new packing saves enough to replace the blob. Without a threshold a change of format always counts, and the
 * same format must get smaller.
 */
export function savesEnough({ before, after, minSavings, isSameFormat }: PackingResult): boolean {
  if (minSavings === null) return !isSameFormat || after < before;
  const wanted = minSavings.kind === 'bytes' ? minSavings.bytes : before * minSavings.ratio;
  return before - after >= wanted && (!isSameFormat || after < before);
}
