/**
 * The face of the room that decides how layers are packed: transforms that write encodings, or the wish for tuned ones, into a plan.
 * It packs nothing itself and reads no layer: `codec` packs, and `jobs/rewrite` tries packings out and asks `policy.ts` to choose.
 */
export { recompress } from './recompress.ts';
export { repackBetter } from './repack.ts';
export { tune, type TuneOptions } from './tune.ts';
