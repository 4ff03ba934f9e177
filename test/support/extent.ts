import { inject } from 'vitest';
import type { Extent } from './extent-setup.ts';

// Decides how much of its tables and properties a test takes. CI has minutes, so a long table is tested in parts,
// one a day; `npm run test:all` sets OCISLIM_TESTS=all and takes everything. Long tests ask here, and nowhere else.

declare module 'vitest' {
  export interface ProvidedContext {
    readonly extent: Extent;
  }
}

/** The number from which everything random in this run is derived. `OCISLIM_SEED` repeats it. */
export const seed: number = inject('extent').seed;

/** Whether this run takes the whole of every table: `OCISLIM_TESTS=all`. */
export const isWhole: boolean = inject('extent').isWhole;

/**
 * Returns the cases that this run tests: all of them, or one part of several, another one each day. `parts` is at most
 * seven, so that each case has its turn within a week.
 */
export function sample<T>(cases: readonly T[], parts: 2 | 3 | 4 | 5 | 6 | 7): readonly T[] {
  return sampleOf(cases, parts, inject('extent'));
}

/**
 * Returns the rows that this run combines with one of several columns: all of them, or so few that each row meets one
 * column today, and every other one on the days that follow.
 */
export function paired<T>(rows: readonly T[], column: number, columns: 2 | 3 | 4 | 5 | 6 | 7): readonly T[] {
  return pairedOf(rows, column, columns, inject('extent'));
}

/** Returns how often a property is tried. */
export function runs(short: number, whole: number): number {
  return isWhole ? whole : short;
}

/** Takes the sample of a given extent. No part is empty: there are at most as many as cases. */
export function sampleOf<T>(cases: readonly T[], parts: number, extent: Extent): readonly T[] {
  if (cases.length === 0) throw new Error('a table without cases tests nothing');
  if (extent.isWhole) return cases;
  const count = Math.min(parts, cases.length);
  return cases.filter((_, i) => i % count === extent.turn % count);
}

/** Takes the rows of a column for a given extent. */
export function pairedOf<T>(
  rows: readonly T[],
  column: number,
  columns: number,
  { isWhole, turn }: Extent,
): readonly T[] {
  return isWhole ? rows : rows.filter((_, i) => (i + turn) % columns === column);
}
