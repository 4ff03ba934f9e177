import type { PackedEncoding } from '../codec/encoding.ts';
import type { Encoding, Tuned } from '../image/image.ts';
import { encodingForGoal, type TuneOptions } from './tune.ts';

/** How the caller wants a new layer packed: by an encoding, for a goal, or as the image packs its layers (null). */
export type NewPacking =
  | { readonly kind: 'encode'; readonly encoding: PackedEncoding }
  | ({ readonly kind: 'tune' } & Omit<TuneOptions, 'minSavings'>)
  | null;

/** Returns the encoding of a layer that no source has. Without a format it becomes gzip, unless the goal is `pull`. */
export function encodingOfNew(packing: NewPacking): Encoding | Tuned {
  if (packing === null) return { kind: 'keep' };
  if (packing.kind === 'encode') return { ...packing.encoding, minSavings: null };
  return encodingForGoal(packing, 'none');
}
