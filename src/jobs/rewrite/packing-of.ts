import { compressionOf } from '../../layers/write/sealed-layer.ts';
import type { Packing } from '../../oci/packing-notes.ts';
import type { WrittenImage } from './records.ts';

/** Returns how the layers of a new image are packed. */
export function packingOf({ layers }: WrittenImage): Packing {
  return {
    formats: new Set(layers.flatMap(({ sealed }) => compressionOf(sealed) ?? [])),
    isKept: layers.every(({ sealed }) => sealed.kind === 'unchanged'),
  };
}
