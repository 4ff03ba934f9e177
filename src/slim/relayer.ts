import type { Image, Transform } from '../image/image.ts';
import { withPlan } from '../image/image.ts';
import type { ContentDigests, LayerAssignment, Relayering } from '../image/relayering.ts';
import { type Selection, selectLayers, selectsNothing } from '../image/selection.ts';
import { mergeLayers } from './squash.ts';

/** How to lay out layers. The layers themselves come from the selection. */
export interface RelayerOptions extends Omit<Relayering, 'layers' | 'previous' | 'history'> {
  /** Returns the assignments of earlier versions of an image; the first is that to keep. */
  readonly previousOf: (image: Image) => readonly LayerAssignment[];
  /** Returns what the components of further earlier versions of an image held. Default: nothing is known of any. */
  readonly historyOf?: (image: Image) => readonly ContentDigests[];
  /** Returns the previous version of an image, whose entries are taken over where only noise differs; null for an image without one. Default: no image has one. */
  readonly imageBefore?: (image: Image) => Image | null;
}

/**
 * Lays the contents of the selected layers out as new layers, of which an update changes few. Which layers these are shows once
 * all headers have been read. @throws SELECTION_INVALID, BASE_MISMATCH
 */
export function relayer(
  selection: Selection,
  { previousOf, historyOf = () => [], imageBefore = () => null, ...options }: RelayerOptions,
): Transform {
  return (image: Image) => {
    if (selectsNothing(image, selection)) return image;
    const { layers, range } = mergeLayers(image, selectLayers(image, selection));
    const planned = withPlan(image, {
      layers,
      relayering: { ...options, layers: range, previous: previousOf(image), history: historyOf(image) },
    });
    return options.noise === 'adopt'
      ? { ...planned, previous: otherThan(image, imageBefore(image)) }
      : planned;
  };
}

/** Returns the previous version, unless it is the image itself. */
function otherThan({ descriptor }: Image, previous: Image | null): Image | null {
  return previous?.descriptor.digest === descriptor.digest ? null : previous;
}
