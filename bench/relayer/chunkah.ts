/**
 * Divides components into layers as chunkah does, by its description: a rival without a memory of the previous image. The simulation
 * calls it with ocislim's components, of which chunkah itself finds only packages of rpm and pacman, and large files.
 */
import type { DatedChange } from '../../src/relayer/changelog.ts';
import { median } from '../measure/statistics.ts';

/** What chunkah sees of a component. */
export interface Item {
  readonly name: string;
  readonly bytes: number;
  readonly dates: readonly DatedChange[];
}

const day = 86_400;

/** Returns the names of the components of each layer. */
export function chunkah(items: readonly Item[], count: number, now: number): readonly (readonly string[])[] {
  if (items.length <= count) return items.map(({ name }) => [name]);
  const sizes = items.map(({ bytes }) => bytes);
  const middle = median(sizes);
  const limit = middle + 1.5 * median(sizes.map((size) => Math.abs(size - middle)));
  const large = items
    .filter(({ bytes }) => bytes >= limit)
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, Math.floor(0.8 * count));
  const rest = items.filter((item) => !large.includes(item));
  return [...large.map(({ name }) => [name]), ...binned(rest, count - large.length, now)];
}

/** Returns the probability that a component stays the same for a week. */
function stability({ dates }: Item, now: number): number {
  const past = dates.map(({ time }) => time).filter((time) => time <= now);
  if (past.length === 0) return 0;
  const age = (now - Math.min(...past)) / day;
  if (now - Math.max(...past) < day) return 0;
  const days = new Set(past.filter((time) => time > now - 365 * day).map((time) => Math.floor(time / day)));
  return days.size === 0 ? 0.99 : Math.exp((-7 * days.size) / Math.max(1, Math.min(365, age)));
}

/** Puts components into bins by a hash of their names, in three tiers of stability. */
function binned(items: readonly Item[], count: number, now: number): readonly (readonly string[])[] {
  const stabilities = new Map(items.map((item) => [item, stability(item, now)]));
  const values = [...stabilities.values()];
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length);
  const tierOf = (item: Item): number => {
    const off = (stabilities.get(item) ?? 0) - mean;
    return off > deviation ? 0 : off < -deviation ? 2 : 1;
  };
  const tiers = [0, 1, 2]
    .map((tier) => items.filter((item) => tierOf(item) === tier))
    .filter((tier) => tier.length > 0);
  const shares = sharesOf(
    tiers.map((tier) => tier.length),
    count,
  );
  return tiers.flatMap((tier, at) => hashed(tier, shares[at] as number));
}

/** Divides bins in proportion to the components of tiers, at least one each. */
function sharesOf(lengths: readonly number[], count: number): readonly number[] {
  const total = lengths.reduce((sum, each) => sum + each, 0);
  const shares = lengths.map((length) => Math.max(1, Math.floor((count * length) / total)));
  const crowding = (at: number): number => (lengths[at] as number) / (shares[at] as number);
  const places = lengths.map((_, at) => at);
  for (let left = count - shares.reduce((sum, each) => sum + each, 0); left > 0; left--) {
    const most = places.reduce((best, at) => (crowding(at) > crowding(best) ? at : best), 0);
    shares[most] = (shares[most] as number) + 1;
  }
  return shares;
}

function hashed(items: readonly Item[], count: number): readonly (readonly string[])[] {
  const bins: Item[][] = Array.from({ length: count }, () => []);
  for (const item of items) bins[Number(fnv(item.name) % BigInt(count))]?.push(item);
  for (const bin of bins) {
    if (bin.length > 0) continue;
    // An empty bin takes the largest item of the one that has most.
    const crowded = bins.reduce((best, each) => (each.length > best.length ? each : best));
    if (crowded.length < 2) continue;
    const largest = crowded.reduce((best, each) => (each.bytes > best.bytes ? each : best));
    crowded.splice(crowded.indexOf(largest), 1);
    bin.push(largest);
  }
  return bins.filter((bin) => bin.length > 0).map((bin) => bin.map(({ name }) => name));
}

/** FNV-1a of 64 bits. */
function fnv(text: string): bigint {
  let hash = 0xcb_f2_9c_e4_84_22_23_25n;
  for (const byte of Buffer.from(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x1_00_00_00_01_b3n);
  return hash;
}
