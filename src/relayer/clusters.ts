/**
 * Clusters of components, which become layers, and what it costs to join them. `merge-down.ts` joins them, `move-members.ts` moves
 * single components between them, and `plan-layers.ts` makes them.
 */
import type { Component } from './component.ts';

/** Components that share a layer. */
export interface Cluster {
  readonly members: readonly Component[];
  readonly bytes: number;
  /** The logarithm of the probability that an update changes none of the members. */
  readonly calm: number;
  /** That probability. */
  readonly stays: number;
  /** Whether clients of the previous version have this layer. Any other member makes them fetch all of it. */
  readonly kept: boolean;
}

/** What the costs of clusters depend on. */
export interface Scale {
  /** The bytes of all clusters together. */
  readonly total: number;
  readonly maxLayer: number;
}

/** The highest probability that is believed: at 1, no number would tell what is left without a member. */
const surest = 0.999;

/** The weight of balance: layers of equal size are pulled at the same time. One layer of all bytes costs this share of them. */
const balance = 0.01;

/** The updates over which a layer that stays as it is saves more than a better one. */
const horizon = 10;

/** Returns the logarithm of the probability that an update leaves a component as it is. */
export function calmOf({ change }: Component): number {
  return Math.log1p(-Math.min(Math.max(change, 0), surest));
}

/** Makes a cluster of components. */
export function clusterOf(members: readonly Component[], kept = false): Cluster {
  let bytes = 0;
  let calm = 0;
  for (const member of members) {
    bytes += member.bytes;
    calm += calmOf(member);
  }
  return { members, bytes, calm, stays: Math.exp(calm), kept };
}

/** Returns the bytes that an update is expected to send of a layer, with what its size costs. */
export function costOf(bytes: number, calm: number, { total }: Scale): number {
  return -bytes * Math.expm1(calm) + (balance * bytes * bytes) / total;
}

/** What one more byte of a layer over the limit costs: more than any expectation. */
const overLimit = 1e6;

/** Returns by how much joining two clusters raises what updates send. Where the limit would be exceeded, by far more. */
export function costOfJoining(a: Cluster, b: Cluster, scale: Scale): number {
  const rise =
    a.bytes * a.stays * (1 - b.stays) +
    b.bytes * b.stays * (1 - a.stays) +
    (2 * balance * a.bytes * b.bytes) / scale.total;
  const again = (a.kept ? a.bytes : 0) + (b.kept ? b.bytes : 0);
  const over = a.bytes + b.bytes > scale.maxLayer ? overLimit * (a.bytes + b.bytes) : 0;
  return rise + again / horizon + over;
}

/** Joins two clusters. */
export function join(a: Cluster, b: Cluster): Cluster {
  const calm = a.calm + b.calm;
  return {
    members: [...a.members, ...b.members],
    bytes: a.bytes + b.bytes,
    calm,
    stays: Math.exp(calm),
    kept: false,
  };
}
