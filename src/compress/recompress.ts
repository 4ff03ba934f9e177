import { type PackedEncoding, validateEncoding } from '../codec/encoding.ts';
import { type Image, type MinSavings, rangeOf, type Transform, withPlan } from '../image/image.ts';
import { type Selection, selectLayers } from '../image/selection.ts';

/** Packs the selected layers anew; what they hold stays. @throws USAGE for a level that the engine does not have */
export function recompress(
  selection: Selection,
  encoding: PackedEncoding,
  minSavings: MinSavings | null = null,
): Transform {
  validateEncoding(encoding);
  return (image: Image) => {
    const { from, to } = selectLayers(image, selection);
    return withPlan(image, {
      layers: image.plan.layers.map((layer) => {
        const first = rangeOf(layer.content).from;
        return {
          ...layer,
          encodings: layer.encodings.map((before, i) =>
            first + i >= from && first + i <= to ? { ...encoding, minSavings } : before,
          ),
        };
      }),
    });
  };
}
