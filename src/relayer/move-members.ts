/**
 * Moves single components between clusters as long as updates get smaller: joining alone never takes back a choice.
 * `plan-layers.ts` calls it for clusters that clients must fetch in any case.
 */
import { calmOf, type Cluster, clusterOf, costOf, type Scale } from './clusters.ts';
import type { Component } from './component.ts';

/** The most rounds over all components. Few are needed. */
const mostRounds = 12;

/** The part of all bytes that a move must save, so that rounding never moves anything. */
const least = 1e-9;

/** Moves members where that makes updates smaller. Clusters that become empty are left out. */
export function moveMembers(clusters: readonly Cluster[], scale: Scale): readonly Cluster[] {
  const moves = new Moves(clusters, scale);
  for (let round = 0; round < mostRounds; round++) if (!moves.improve()) break;
  return moves.finish();
}

class Moves {
  readonly #scale: Scale;
  readonly #members: readonly Component[];
  readonly #calm: Float64Array;
  /** By member: its cluster. */
  readonly #home: Int32Array;
  readonly #bytes: Float64Array;
  readonly #calms: Float64Array;
  readonly #counts: Int32Array;
  /** By cluster: what it costs. */
  readonly #costs: Float64Array;

  constructor(clusters: readonly Cluster[], scale: Scale) {
    this.#scale = scale;
    const placed = clusters
      .flatMap(({ members }, home) => members.map((member) => ({ member, home })))
      .sort((a, b) => (a.member.name < b.member.name ? -1 : 1));
    this.#members = placed.map(({ member }) => member);
    this.#calm = Float64Array.from(this.#members, calmOf);
    this.#home = Int32Array.from(placed, ({ home }) => home);
    this.#bytes = Float64Array.from(clusters, ({ bytes }) => bytes);
    this.#calms = Float64Array.from(clusters, ({ calm }) => calm);
    this.#counts = Int32Array.from(clusters, ({ members }) => members.length);
    this.#costs = Float64Array.from(clusters, ({ bytes, calm }) => costOf(bytes, calm, scale));
  }

  /** Gives each member its best cluster once. Returns whether one moved. */
  improve(): boolean {
    let moved = false;
    for (let member = 0; member < this.#members.length; member++) if (this.#improve(member)) moved = true;
    return moved;
  }

  finish(): readonly Cluster[] {
    const members: Component[][] = Array.from(this.#bytes, () => []);
    this.#members.forEach((member, at) => void members[this.#home[at] as number]?.push(member));
    return members.filter((list) => list.length > 0).map((list) => clusterOf(list));
  }

  #improve(member: number): boolean {
    const from = this.#home[member] as number;
    // An empty layer would be a waste; merging has decided how many there are.
    if (this.#counts[from] === 1) return false;
    const saved = (this.#costs[from] as number) - this.#costWith(from, member, -1);
    let best = from;
    let gain = least * this.#scale.total;
    for (let to = 0; to < this.#bytes.length; to++) {
      if (to === from || !this.#hasRoom(to, member)) continue;
      const better = saved + (this.#costs[to] as number) - this.#costWith(to, member, 1);
      if (better <= gain) continue;
      gain = better;
      best = to;
    }
    if (best === from) return false;
    this.#move(member, from, -1);
    this.#move(member, best, 1);
    this.#home[member] = best;
    return true;
  }

  #hasRoom(cluster: number, member: number): boolean {
    return (
      (this.#bytes[cluster] as number) + (this.#members[member] as Component).bytes <= this.#scale.maxLayer
    );
  }

  /** Returns the cost of a cluster with a member more (1) or less (-1). */
  #costWith(cluster: number, member: number, sign: 1 | -1): number {
    const bytes = (this.#bytes[cluster] as number) + sign * (this.#members[member] as Component).bytes;
    const calm = (this.#calms[cluster] as number) + sign * (this.#calm[member] as number);
    return costOf(bytes, Math.min(calm, 0), this.#scale);
  }

  #move(member: number, cluster: number, sign: 1 | -1): void {
    const bytes = (this.#bytes[cluster] as number) + sign * (this.#members[member] as Component).bytes;
    const calm = (this.#calms[cluster] as number) + sign * (this.#calm[member] as number);
    this.#bytes[cluster] = bytes;
    this.#calms[cluster] = calm;
    this.#counts[cluster] = (this.#counts[cluster] as number) + sign;
    this.#costs[cluster] = costOf(bytes, calm, this.#scale);
  }
}
