import type { Image, Transform } from '../image/image.ts';
import { withPlan } from '../image/image.ts';
import type { LayerAssignment, Relayering } from '../image/relayering.ts';
import { type Selection, selectLayers, selectsNothing } from '../image/selection.ts';
import { mergeLayers } from './squash.ts';

/** How to lay out layers. The layers themselves come from the selection. */
export interface RelayerOptions extends Omit<Relayering, 'layers' | 'previous'> {
  /** Returns the assignments of earlier versions of an image; the first is that to keep. */
  readonly previousOf: (image: Image) => readonly LayerAssignment[];
}

/**
 * Lays the contents of the selected layers out as new layers, of which an update changes few. Which layers these are shows once
 * all headers have been read. @throws SELECTION_INVALID, BASE_MISMATCH
 */
export function relayer(selection: Selection, { previousOf, ...options }: RelayerOptions): Transform {
  return (image: Image) => {
    if (selectsNothing(image, selection)) return image;
    const { layers, range } = mergeLayers(image, selectLayers(image, selection));
    return withPlan(image, {
      layers,
      relayering: { ...options, layers: range, previous: previousOf(image) },
    });
  };
}
