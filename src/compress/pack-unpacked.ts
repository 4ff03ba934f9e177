import type { PackedEncoding } from '../codec/encoding.ts';
import { type Image, type Layer, layerOf, rangeOf, type Transform, topOf, withPlan } from '../image/image.ts';
import { layerKind } from '../oci/media-type.ts';

/**
 * Packs the plain layers for which no other transform has planned an encoding. For sources that have unpacked their layers, and
 * after all other transforms.
 */
export function packUnpacked(encoding: PackedEncoding): Transform {
  return (image) => {
    const layers = image.plan.layers.map((layer): Layer => {
      const first = rangeOf(layer.content)?.from ?? Math.max(topOf(layer.content), 1);
      const encodings = layer.encodings.map((before, i) =>
        before.kind === 'keep' && isPlain(image, first + i) ? { ...encoding, minSavings: null } : before,
      );
      return { ...layer, encodings };
    });
    return withPlan(image, { layers });
  };
}

function isPlain(image: Image, number: number): boolean {
  const kind = layerKind(layerOf(image, number).descriptor.mediaType);
  return kind.kind === 'layer' && kind.compression === 'none';
}
