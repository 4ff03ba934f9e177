import { defaultEngine, type PackedEncoding } from '../codec/encoding.ts';
import type { Encoding, Tuned } from '../image/image.ts';
import { encodingFor } from './effort.ts';
import type { TuneOptions } from './tune.ts';

/** How the caller wants a new layer packed: by an encoding, for a goal, or as the image packs its layers (null). */
export type NewPacking =
  | { readonly kind: 'encode'; readonly encoding: PackedEncoding }
  | ({ readonly kind: 'tune' } & Omit<TuneOptions, 'minSavings'>)
  | null;

/** Returns the encoding of a layer that no source has. Without a format it becomes gzip, unless the goal is `pull`. */
export function encodingOfNew(packing: NewPacking): Encoding | Tuned {
  if (packing === null) return { kind: 'keep' };
  if (packing.kind === 'encode') return { ...packing.encoding, minSavings: null };
  const { goal, budget = null, engine = defaultEngine('gzip') } = packing;
  if (goal.kind === 'pull')
    return { kind: 'tuned', goal, budget, format: packing.format ?? null, engine, minSavings: null };
  const format = packing.format ?? 'gzip';
  if (budget !== null) return { kind: 'tuned', goal, budget, format, engine, minSavings: null };
  return { ...encodingFor(format, { gzip: engine }, goal.effort), minSavings: null };
}
