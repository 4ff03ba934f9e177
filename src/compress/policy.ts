import { type PackedEncoding, unpackingSpeed } from '../codec/encoding.ts';
import type { TuningGoal } from '../image/image.ts';
import type { Compression } from '../oci/media-type.ts';

/** An option must be smaller by this share than a cheaper one of its format, or it is not worth its work. */
const worthIt = 0.005;

/** One way to pack a layer, and what it comes to. */
export interface PackingOption {
  /** Null: as the blob is. */
  readonly encoding: PackedEncoding | null;
  readonly compression: Compression;
  /** Bytes of the blob; an estimate, unless `encoding` is null. */
  readonly size: number;
  /** Seconds that one thread needs for all of it; null where nobody asked. */
  readonly work: number | null;
  /** How many threads can work on it at a time. */
  readonly threads: number;
}

/** A layer and the ways to pack it: of each format the cheapest first, and the blob as it is before all. */
export interface TunableLayer {
  /** Bytes of the tar. */
  readonly tarBytes: number;
  readonly options: readonly PackingOption[];
}

/** Seconds from the first byte to the last one unpacked, where unpacking waits for the transfer. */
export function pullSeconds(
  { size, compression }: Pick<PackingOption, 'size' | 'compression'>,
  tarBytes: number,
  bytesPerSecond: number,
): number {
  return size / bytesPerSecond + tarBytes / unpackingSpeed(compression);
}

/** What the goal wants least of: bytes, or seconds. */
export function costOf(option: PackingOption, tarBytes: number, goal: TuningGoal): number {
  return goal.kind === 'size' ? option.size : pullSeconds(option, tarBytes, goal.bytesPerSecond);
}

/**
 * The best option for the goal, however long it takes. What is not at least 0.5 % smaller than something cheaper of the same
 * format is out of the question; this does not depend on the goal, so that a lower bandwidth never gives a larger blob.
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

/** The first of the cheapest. */
function least<T>(items: readonly T[], cost: (item: T) => number): T {
  return items.reduce((best, item) => (cost(item) < cost(best) ? item : best));
}

export interface Budget {
  /** Of encoding, from start to end. */
  readonly seconds: number;
  /** Blocks encoded at once. */
  readonly jobs: number;
  /** Seconds of one thread that the run takes besides, whatever is chosen: reading and unpacking. */
  readonly overhead: number;
}

export interface Allocation {
  /** In the order of the layers. */
  readonly chosen: readonly PackingOption[];
  /** By the estimate, how long encoding takes. */
  readonly seconds: number;
}

/**
 * Spends the time where it buys most: of each layer only the options on the lower convex hull of cost over work count, every
 * layer starts with its least work, and the step that saves most for each second comes first, as long as the estimate
 * stays within the budget. Beyond it only where the least work is too much already.
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
    // The sort is stable, and gains fall along a hull: each layer's steps stay in order.
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

/** From the least work to the least cost, each step paying less than the one before. */
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

/** All threads share the work, but a layer cannot be shared among more of them than it has blocks. */
function secondsOf(points: readonly Point[], { jobs, overhead }: Budget): number {
  const whole = points.reduce((sum, { work }) => sum + work, overhead) / jobs;
  return points.reduce(
    (longest, { work, option }) => Math.max(longest, work / Math.min(jobs, option.threads)),
    whole,
  );
}
