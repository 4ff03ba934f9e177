/**
 * Puts two lists side by side: equal items in their common order, and what lies between them by position. The comparison aligns layers
 * by DiffID and rows of the history by their text.
 */

/** Positions in both lists, from 0; null where a side has nothing. */
export type Aligned = readonly [a: number | null, b: number | null];

/** Cells of the table that finds the longest common subsequence. Longer lists are paired by position. */
const maxCells = 4_000_000;

/** Aligns two lists of keys. Both sides ascend. */
export function align(a: readonly string[], b: readonly string[]): readonly Aligned[] {
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) [endA, endB] = [endA - 1, endB - 1];
  const result: Aligned[] = [];
  for (let i = 0; i < start; i++) result.push([i, i]);
  let [i, j] = [start, start];
  for (const [x, y] of common(a.slice(start, endA), b.slice(start, endB))) {
    pairGap(result, [i, start + x], [j, start + y]);
    result.push([start + x, start + y]);
    [i, j] = [start + x + 1, start + y + 1];
  }
  pairGap(result, [i, endA], [j, endB]);
  for (let at = endA; at < a.length; at++) result.push([at, at - endA + endB]);
  return result;
}

/** Pairs what lies between two common items by position. */
function pairGap(
  result: Aligned[],
  [fromA, toA]: readonly [number, number],
  [fromB, toB]: readonly [number, number],
): void {
  for (let i = 0; i < Math.max(toA - fromA, toB - fromB); i++)
    result.push([fromA + i < toA ? fromA + i : null, fromB + i < toB ? fromB + i : null]);
}

/** Returns the positions of a longest common subsequence. */
function common(a: readonly string[], b: readonly string[]): [number, number][] {
  const width = b.length + 1;
  if ((a.length + 1) * width > maxCells) return [];
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        a[i] === b[j]
          ? (lengths[(i + 1) * width + j + 1] as number) + 1
          : Math.max(lengths[(i + 1) * width + j] as number, lengths[i * width + j + 1] as number);
  const found: [number, number][] = [];
  for (let [i, j] = [0, 0]; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) found.push([i++, j++]);
    else if ((lengths[(i + 1) * width + j] as number) >= (lengths[i * width + j + 1] as number)) i++;
    else j++;
  }
  return found;
}
