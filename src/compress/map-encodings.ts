/**
 * Goes through the encodings that an image's plan has for its source layers, whatever becomes of these. Transforms call it that look at how each
 * source layer is packed.
 */
import {
  type Encoding,
  type Image,
  type Layer,
  layerOf,
  rangeOf,
  topOf,
  type Tuned,
  withPlan,
} from '../image/image.ts';
import { type Compression, layerKind } from '../oci/media-type.ts';

/** Replaces the planned encoding of every source layer. `number`: that of the layer, from 1. */
export function mapEncodings(
  image: Image,
  change: (before: Encoding | Tuned, number: number) => Encoding | Tuned,
): Image {
  const layers = image.plan.layers.map((layer): Layer => {
    const first = rangeOf(layer.content)?.from ?? Math.max(topOf(layer.content), 1);
    return { ...layer, encodings: layer.encodings.map((before, i) => change(before, first + i)) };
  });
  return withPlan(image, { layers });
}

/** Returns whether a source layer can be read, and is packed in this way. */
export function isPacked(image: Image, number: number, compression: Compression): boolean {
  const kind = layerKind(layerOf(image, number).descriptor.mediaType);
  return kind.kind === 'layer' && kind.compression === compression;
}
