import type { MinSavings, Transform } from '../image/image.ts';
import type { Selection } from '../image/selection.ts';
import { tune } from './tune.ts';

/**
 * Packs the selected layers better in the format that each has, at the effort `balanced`; plain layers become gzip. A packed layer
 * that would not shrink keeps its blob.
 */
export function repackBetter(selection: Selection, minSavings: MinSavings | null = null): Transform {
  return tune(selection, { goal: { kind: 'size', effort: 'balanced' }, minSavings });
}
