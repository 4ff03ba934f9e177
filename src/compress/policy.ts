/**
 * The policy of tuning: chooses among ways to pack a layer by size, by the time of a pull, or within a budget of time. Pure: the
 * interpreter measures the options and passes them in.
 */
import { type PackedEncoding, unpackingSpeed } from '../codec/encoding.ts';
import type { TuningGoal } from '../image/image.ts';
import type { Compression } from '../oci/media-type.ts';

/** The share by which an option must be smaller than a cheaper one of its format to be worth its work. */
const worthIt = 0.005;

/** One way to pack a layer, with its size and its cost. */
export interface PackingOption {
  /** The encoding; null keeps the blob as it is. */
  readonly encoding: PackedEncoding | null;
  readonly compression: Compression;
  /** Bytes of the blob; an estimate, unless `encoding` is null. */
  readonly size: number;
  /** Seconds that one thread needs for the layer; null if not measured. */
  readonly work: number | null;
  /** The number of threads that can work on the layer at a time. */
  readonly threads: number;
}

/** A layer and the ways to pack it: first the blob as it is, then for each format the cheapest first. */
export interface TunableLayer {
  /** Bytes of the tar. */
  readonly tarBytes: number;
  readonly options: readonly PackingOption[];
}

/** Estimates the seconds of a pull, from the first byte transferred to the last byte unpacked. Unpacking starts after the transfer. */
export function pullSeconds(
  { size, compression }: Pick<PackingOption, 'size' | 'compression'>,
  tarBytes: number,
  bytesPerSecond: number,
): number {
  return size / bytesPerSecond + tarBytes / unpackingSpeed(compression);
}

/** Returns the quantity that the goal minimizes: bytes, or seconds of a pull. */
export function costOf(option: PackingOption, tarBytes: number, goal: TuningGoal): number {
  return goal.kind === 'size' ? option.size : pullSeconds(option, tarBytes, goal.bytesPerSecond);
}

/**
 * Chooses the best option for the goal, whatever its work. An option that is not at least 0.5 % smaller than a cheaper one of the
 * same format is not considered. This rule does not depend on the goal, so that a lower bandwidth never gives a larger blob.
 */
export function chooseOption(layer: TunableLayer, goal: TuningGoal): PackingOption {
  return least(worthwhile(layer.options), (option) => costOf(option, layer.tarBytes, goal));
}

function worthwhile(options: readonly PackingOption[]): PackingOption[] {
  const smallest = new Map<Compression, number>();
  return options.filter(({ compression, size }) => {
    const bound = smallest.get(compression);
    if (bound !== undefined && size > bound * (1 - worthIt)) return false;
    smallest.set(compression, size);
    return true;
  });
}

/** Returns the item of least cost; of several, the first. */
function least<T>(items: readonly T[], cost: (item: T) => number): T {
  return items.reduce((best, item) => (cost(item) < cost(best) ? item : best));
}

/** The time for encoding all layers that share a goal. */
export interface Budget {
  /** Seconds of encoding, from start to end. */
  readonly seconds: number;
  /** The number of blocks encoded at a time. */
  readonly jobs: number;
  /** Seconds of one thread that the run takes for reading and unpacking, whatever is chosen. */
  readonly overhead: number;
}

export interface Allocation {
  /** The options chosen, in the order of the layers. */
  readonly chosen: readonly PackingOption[];
  /** The estimated seconds of encoding. */
  readonly seconds: number;
}

/**
 * Spends the time of a budget where it saves most. Only the options on the lower convex hull of cost over work count. Every layer
 * starts with its least work; then the step that saves most per second is taken first, as long as the estimate stays within the
 * budget (greedy, as for the fractional knapsack problem). The estimate exceeds the budget only if the least work already does.
 */
export function allocate(layers: readonly TunableLayer[], goal: TuningGoal, budget: Budget): Allocation {
  const hulls = layers.map((layer) => hullOf(layer, goal));
  const chosen = hulls.map((hull) => hull[0] as Point);
  const steps = hulls
    .flatMap((hull, layer) =>
      hull.slice(1).map((to, i) => {
        const from = hull[i] as Point;
        return { layer, to, gain: (from.cost - to.cost) / (to.work - from.work) };
      }),
    )
    // Gains fall along a hull and the sort is stable, so the steps of a layer stay in order.
    .sort((a, b) => b.gain - a.gain);
  const done = new Set<number>();
  for (const { layer, to } of steps) {
    if (done.has(layer)) continue;
    const before = chosen[layer] as Point;
    chosen[layer] = to;
    if (secondsOf(chosen, budget) <= budget.seconds) continue;
    chosen[layer] = before;
    done.add(layer);
  }
  return { chosen: chosen.map(({ option }) => option), seconds: secondsOf(chosen, budget) };
}

interface Point {
  readonly option: PackingOption;
  readonly work: number;
  readonly cost: number;
}

/** Returns the options on the lower convex hull, from the least work to the least cost (Andrew's monotone chain). */
function hullOf({ options, tarBytes }: TunableLayer, goal: TuningGoal): Point[] {
  const points = worthwhile(options)
    .map((option) => ({ option, work: option.work ?? 0, cost: costOf(option, tarBytes, goal) }))
    .sort((a, b) => a.work - b.work || a.cost - b.cost);
  const hull: Point[] = [];
  for (const point of points) {
    const last = hull.at(-1);
    if (last !== undefined && point.cost >= last.cost) continue;
    for (;;) {
      const [a, b] = [hull.at(-2), hull.at(-1)];
      if (a === undefined || b === undefined) break;
      const straight = (a.cost - b.cost) * (point.work - b.work) > (b.cost - point.cost) * (b.work - a.work);
      if (straight) break;
      hull.pop();
    }
    hull.push(point);
  }
  return hull;
}

/** Estimates the seconds of encoding. All threads share the work, but a layer occupies no more threads than it has blocks. */
function secondsOf(points: readonly Point[], { jobs, overhead }: Budget): number {
  const whole = points.reduce((sum, { work }) => sum + work, overhead) / jobs;
  return points.reduce(
    (longest, { work, option }) => Math.max(longest, work / Math.min(jobs, option.threads)),
    whole,
  );
}
