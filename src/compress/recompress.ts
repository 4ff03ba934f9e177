import { type PackedEncoding, validateEncoding } from '../codec/encoding.ts';
import { type Image, type MinSavings, type Transform, withEncodings, withPlan } from '../image/image.ts';
import { type Selection, selectLayers, selectsNothing } from '../image/selection.ts';

/**
 * Gives the selected layers an encoding. Their contents stay, and so do their DiffIDs. A layer keeps its blob unless the new one is
 * smaller by `minSavings`; null: unless it is smaller, or of another format.
 * @throws USAGE for an engine or a level that does not exist
 */
export function recompress(
  selection: Selection,
  encoding: PackedEncoding,
  minSavings: MinSavings | null = null,
): Transform {
  validateEncoding(encoding);
  return (image: Image) => {
    if (selectsNothing(image, selection)) return image;
    const selected = selectLayers(image, selection);
    const layers = image.plan.layers.map((layer) =>
      withEncodings(layer, selected, () => ({ ...encoding, minSavings })),
    );
    return withPlan(image, { layers });
  };
}
