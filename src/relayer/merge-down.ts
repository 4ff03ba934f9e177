/**
 * Joins clusters until few enough are left, always the two that cost later updates least. `plan-layers.ts` calls it for what has no
 * layer yet.
 */
import { type Cluster, costOfJoining, join, type Scale } from './clusters.ts';

/** The most clusters of which every pair is looked at. */
const mostCompared = 768;

/** Joins clusters until at most `count` are left (at least 1). The order of the clusters decides between equal costs. */
export function mergeDown(clusters: readonly Cluster[], count: number, scale: Scale): readonly Cluster[] {
  const few = Math.max(count, mostCompared);
  const compared = clusters.length > few ? mergeNeighbours(clusters, few, scale) : clusters;
  return mergePairs(compared, count, scale);
}

/** Joins clusters that change about as often, which are neighbours in that order: the cheapest pair first, in rounds. */
function mergeNeighbours(clusters: readonly Cluster[], count: number, scale: Scale): readonly Cluster[] {
  let row = clusters
    .map((cluster, at) => ({ cluster, at }))
    .sort((a, b) => a.cluster.calm - b.cluster.calm || a.at - b.at)
    .map(({ cluster }) => cluster);
  while (row.length > count) {
    const costs = row.slice(1).map((next, at) => costOfJoining(row[at] as Cluster, next, scale));
    const surplus = row.length - count;
    const limit = costs.toSorted((a, b) => a - b)[Math.min(surplus, costs.length) - 1] as number;
    row = joinCheap(row, costs, { limit, surplus });
  }
  return row;
}

/** Joins neighbours whose cost is within the limit, each cluster once, from the left. */
function joinCheap(
  row: readonly Cluster[],
  costs: readonly number[],
  { limit, surplus }: { readonly limit: number; readonly surplus: number },
): Cluster[] {
  const joined: Cluster[] = [];
  let left = surplus;
  for (let at = 0; at < row.length; at++) {
    const cluster = row[at] as Cluster;
    const next = row[at + 1];
    if (next !== undefined && left > 0 && (costs[at] as number) <= limit) {
      joined.push(join(cluster, next));
      left--;
      at++;
    } else joined.push(cluster);
  }
  return joined;
}

/** Joins the cheapest pair until `count` are left. Each cluster remembers its cheapest partner. */
function mergePairs(clusters: readonly Cluster[], count: number, scale: Scale): readonly Cluster[] {
  const pairs = new Pairs(clusters, scale);
  while (pairs.size > count) pairs.joinCheapest();
  return pairs.clusters;
}

class Pairs {
  readonly #clusters: (Cluster | null)[];
  readonly #scale: Scale;
  /** By cluster: the partner of a higher number with which joining costs least, and what it costs. */
  readonly #partner: Int32Array;
  readonly #cost: Float64Array;
  size: number;

  constructor(clusters: readonly Cluster[], scale: Scale) {
    this.#clusters = [...clusters];
    this.#scale = scale;
    this.size = clusters.length;
    this.#partner = new Int32Array(this.size).fill(-1);
    this.#cost = new Float64Array(this.size).fill(Number.POSITIVE_INFINITY);
    for (let at = 0; at < this.size; at++) this.#findPartner(at);
  }

  get clusters(): readonly Cluster[] {
    return this.#clusters.filter((cluster) => cluster !== null);
  }

  joinCheapest(): void {
    let first = 0;
    for (let at = 1; at < this.#cost.length; at++)
      if ((this.#cost[at] as number) < (this.#cost[first] as number)) first = at;
    const second = this.#partner[first] as number;
    this.#clusters[first] = join(this.#clusters[first] as Cluster, this.#clusters[second] as Cluster);
    this.#clusters[second] = null;
    this.#cost[second] = Number.POSITIVE_INFINITY;
    this.size--;
    this.#findPartner(first);
    for (let at = 0; at < second; at++) {
      if (at === first || this.#clusters[at] === null) continue;
      const partner = this.#partner[at];
      if (partner === first || partner === second) this.#findPartner(at);
      else if (at < first) this.#offer(at, first);
    }
  }

  #findPartner(at: number): void {
    this.#cost[at] = Number.POSITIVE_INFINITY;
    this.#partner[at] = -1;
    for (let other = at + 1; other < this.#clusters.length; other++)
      if (this.#clusters[other] !== null) this.#offer(at, other);
  }

  #offer(at: number, other: number): void {
    const cost = costOfJoining(this.#clusters[at] as Cluster, this.#clusters[other] as Cluster, this.#scale);
    if (cost >= (this.#cost[at] as number)) return;
    this.#cost[at] = cost;
    this.#partner[at] = other;
  }
}
