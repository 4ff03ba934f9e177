/**
 * Sorts by size, descending. The item that takes longest begins first, so that the others run beside it and nothing waits
 * for it at the end.
 */
export function largestFirst<T>(items: readonly T[], sizeOf: (item: T) => number): T[] {
  return items.toSorted((a, b) => sizeOf(b) - sizeOf(a));
}
