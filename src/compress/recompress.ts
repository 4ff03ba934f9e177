import { type PackedEncoding, validateEncoding } from '../codec/encoding.ts';
import { type Image, type MinSavings, type Transform, withEncodings, withPlan } from '../image/image.ts';
import { type Selection, selectLayers } from '../image/selection.ts';

/** Packs the selected layers anew; what they hold stays. @throws USAGE for a level that the engine does not have */
export function recompress(
  selection: Selection,
  encoding: PackedEncoding,
  minSavings: MinSavings | null = null,
): Transform {
  validateEncoding(encoding);
  return (image: Image) => {
    const selected = selectLayers(image, selection);
    const layers = image.plan.layers.map((layer) =>
      withEncodings(layer, selected, () => ({ ...encoding, minSavings })),
    );
    return withPlan(image, { layers });
  };
}
