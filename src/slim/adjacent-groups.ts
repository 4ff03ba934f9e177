/**
 * Divides layers, which keep their order, into groups that become one layer each, so that later updates cost least. `fewer-layers.ts`
 * calls it for images that have too many.
 */

/** What counts of a layer that may be merged with its neighbours. */
export interface Mergeable {
  /** Bytes to transfer. */
  readonly size: number;
  /** The probability that an update changes the layer. It never falls from a layer to the one above: a build makes those again, too. */
  readonly change: number;
}

/** Beyond so many layers, those that cost least are merged one by one first: the exact way would take long. */
const mostExact = 2048;

/**
 * Returns where each group begins, for at most `count` (at least 1) groups: the partition of least Σ size × P(one member changes), which is
 * that of its topmost member. Of equal ones, the lower layers are those that stay alone. With at most `count` layers, each is a group.
 */
export function groupAdjacent(layers: readonly Mergeable[], count: number): readonly number[] {
  if (layers.length <= count) return layers.map((_, i) => i);
  const starts = mergeCheapest(layers, Math.max(count, mostExact));
  const reduced = starts.map((start, i) => mergedOf(layers.slice(start, starts[i + 1] ?? layers.length)));
  return bestStarts(reduced, count).map((start) => starts[start] as number);
}

/** Returns the bytes that an update is expected to download of groups that begin at these layers. */
export function expectedOf(layers: readonly Mergeable[], starts: readonly number[]): number {
  return starts
    .map((start, i) => mergedOf(layers.slice(start, starts[i + 1] ?? layers.length)))
    .reduce((sum, { size, change }) => sum + size * change, 0);
}

function mergedOf(members: readonly Mergeable[]): Mergeable {
  return {
    size: members.reduce((sum, { size }) => sum + size, 0),
    change: members.at(-1)?.change ?? 0,
  };
}

/** Merges the neighbours whose merging costs least, of equal ones the uppermost, until `most` are left. Returns where each begins. */
function mergeCheapest(layers: readonly Mergeable[], most: number): readonly number[] {
  const groups = layers.map((layer, start) => ({ ...layer, start }));
  while (groups.length > most) {
    let best = 0;
    let least = Infinity;
    for (let i = 0; i + 1 < groups.length; i++) {
      const rise = (groups[i]?.size ?? 0) * ((groups[i + 1]?.change ?? 0) - (groups[i]?.change ?? 0));
      if (rise <= least) [best, least] = [i, rise];
    }
    const [lower, upper] = groups.splice(best, 2);
    if (lower === undefined || upper === undefined) break;
    groups.splice(best, 0, { start: lower.start, size: lower.size + upper.size, change: upper.change });
  }
  return groups.map(({ start }) => start);
}

/**
 * Finds the best partition into exactly `count` groups, row by row: `least[end]` is the cost of the first `end` layers in so many groups.
 * Where the last group begins never falls as `end` rises, since changes never fall: so each row takes n log n steps.
 */
function bestStarts(layers: readonly Mergeable[], count: number): number[] {
  const n = layers.length;
  const sums = new Float64Array(n + 1);
  for (const [i, { size }] of layers.entries()) sums[i + 1] = (sums[i] as number) + size;
  const costOf = (from: number, to: number): number =>
    ((sums[to] as number) - (sums[from] as number)) * (layers[to - 1]?.change ?? 0);
  let least = Float64Array.from({ length: n + 1 }, (_, end) => (end === 0 ? Infinity : costOf(0, end)));
  const rows: Int32Array[] = [];
  for (let groups = 2; groups <= count; groups++) {
    const row = nextRow(least, groups, costOf);
    rows.push(row.starts);
    least = row.least;
  }
  const starts: number[] = [];
  let end = n;
  for (const row of rows.reverse()) {
    end = row[end] as number;
    starts.unshift(end);
  }
  return [0, ...starts];
}

interface Row {
  /** By the number of layers: the least cost. */
  readonly least: Float64Array<ArrayBuffer>;
  /** By the number of layers: where the last group begins. */
  readonly starts: Int32Array;
}

/** Adds one group to the best partitions of `before`, by halves: the best start of the middle bounds those on both sides. */
function nextRow(before: Float64Array, groups: number, costOf: (from: number, to: number) => number): Row {
  const n = before.length - 1;
  const least = new Float64Array(n + 1).fill(Infinity);
  const starts = new Int32Array(n + 1);
  const spans = [{ from: groups, to: n, low: groups - 1, high: n - 1 }];
  for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
    const { from, to, low, high } = span;
    if (from > to) continue;
    const end = (from + to) >> 1;
    for (let start = low; start <= Math.min(high, end - 1); start++) {
      const cost = (before[start] as number) + costOf(start, end);
      if (cost < (least[end] as number)) {
        least[end] = cost;
        starts[end] = start;
      }
    }
    const start = starts[end] as number;
    spans.push({ from, to: end - 1, low, high: start }, { from: end + 1, to, low: start, high });
  }
  return { least, starts };
}
