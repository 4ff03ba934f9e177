/** Returns the middle value, or the mean of the two in the middle. @throws RangeError for no values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there is no median of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}

/** The spread of several runs. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Returns least, median and most. @throws RangeError for no values */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * Returns the ratio of times round by round, because what disturbs a round disturbs both. Null where they have no
 * round in common.
 */
export function pairedRatio(those: readonly number[], base: readonly number[]): Spread | null {
  const ratios = those.slice(0, base.length).map((value, i) => value / (base[i] as number));
  return ratios.length === 0 ? null : spread(ratios);
}

/**
 * Returns the exponent b of y = a·x^b that fits best, by least squares over the logarithms: 1 is linear, 0
 * constant. Null for fewer than two different x.
 */
export function exponent(points: readonly { readonly x: number; readonly y: number }[]): number | null {
  const logs = points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const mean = (pick: (point: { x: number; y: number }) => number): number =>
    logs.reduce((sum, point) => sum + pick(point), 0) / logs.length;
  const [mx, my] = [mean(({ x }) => x), mean(({ y }) => y)];
  const square = logs.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
  return square > 0 ? logs.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0) / square : null;
}
