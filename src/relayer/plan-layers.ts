/**
 * Plans the layers of an image: which components share one, and in which order they lie. The relayer calls it with the arrangement of the
 * previous version, whose layers stay as they are where nothing in them changes.
 */
import { type Cluster, clusterOf, type Scale } from './clusters.ts';
import type { Arrangement, Component, LayerLimits } from './component.ts';
import { mergeDown } from './merge-down.ts';
import { moveMembers } from './move-members.ts';

/**
 * Plans the layers of components, whose names are distinct. Depends on neither their order nor anything outside of the arguments, and
 * returns the previous arrangement where no component is new, gone or changed and the limits hold.
 */
export function planLayers(
  components: readonly Component[],
  limits: LayerLimits,
  previous: Arrangement | null,
): Arrangement {
  const sorted = components.toSorted(byName);
  const top = topLayers(
    sorted.filter((each) => each.volatile),
    limits,
  );
  const below = sorted.filter((each) => !each.volatile);
  // All in one layer: there is no room for a top.
  if (limits.maxLayers <= top.length) return arrangementOf(sorted.length === 0 ? [] : [clusterOf(sorted)]);
  const plan: Plan = {
    count: limits.maxLayers - top.length,
    scale: {
      total: Math.max(
        1,
        below.reduce((sum, { bytes }) => sum + bytes, 0),
      ),
      maxLayer: limits.maxLayer ?? Number.POSITIVE_INFINITY,
    },
  };
  const known = previousLayers(below, previous);
  let layers = arrange(known, plan);
  // Layers over the limit are taken apart as long as that helps: afterwards the same call finds nothing to do.
  for (let over = excess(layers, plan); over > 0; over = excess(layers, plan)) {
    const other = arrange(dissolved(layers, plan), plan);
    if (excess(other, plan) >= over) break;
    layers = other;
  }
  return arrangementOf([...layers, ...top]);
}

interface Plan {
  /** The most layers below the top. */
  readonly count: number;
  readonly scale: Scale;
}

/** What is left of the previous arrangement. */
interface Known {
  /** The lowest layers up to the first one that changes: clients that reuse a chain of layers from the bottom have them. */
  readonly bottom: readonly Cluster[];
  /** Other layers that no update touches. */
  readonly others: readonly Cluster[];
  /** Components without a layer: new ones, and those of layers that must be sent in any case. */
  readonly loose: readonly Component[];
}

function previousLayers(components: readonly Component[], previous: Arrangement | null): Known {
  const byName = new Map(components.map((each) => [each.name, each]));
  const bottom: Cluster[] = [];
  const others: Cluster[] = [];
  const placed = new Set<string>();
  let chain = true;
  for (const names of previous?.layers ?? []) {
    const members = names.flatMap((name) => byName.get(name) ?? []).filter(({ name }) => !placed.has(name));
    const stays =
      members.length > 0 &&
      members.length === names.length &&
      members.every(({ changed }) => changed !== true);
    if (!stays) {
      chain = false;
      continue;
    }
    for (const { name } of members) placed.add(name);
    (chain ? bottom : others).push(clusterOf(members, true));
  }
  return { bottom, others, loose: components.filter(({ name }) => !placed.has(name)) };
}

/** Gives every component a layer, and every layer its place. */
function arrange({ bottom, others, loose }: Known, { count, scale }: Plan): readonly Cluster[] {
  const kept = [...bottom, ...others];
  const merged = mergeDown([...kept, ...loose.map((each) => clusterOf([each]))], count, scale);
  const still = new Set(merged);
  const moved = moveMembers(
    merged.filter((cluster) => !cluster.kept),
    scale,
  );
  const broken = bottom.findIndex((cluster) => !still.has(cluster));
  const chain = broken < 0 ? bottom : bottom.slice(0, broken);
  const rest = [...kept.slice(chain.length).filter((cluster) => still.has(cluster)), ...moved];
  return [...chain, ...rest.sort(byWorth)];
}

/**
 * Sorts layers for clients that fetch all layers above the first one that changed: large and stable ones lie low. It is the order of
 * least expected bytes (Smith's rule: bytes times the odds that the layer stays).
 */
function byWorth(a: Cluster, b: Cluster): number {
  const difference = worthOf(b) - worthOf(a);
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

function worthOf({ bytes, calm, stays }: Cluster): number {
  const changes = -Math.expm1(calm);
  return changes === 0 ? Number.POSITIVE_INFINITY : (bytes * stays) / changes;
}

function nameOf({ members }: Cluster): string {
  return members.reduce((least, { name }) => (name < least ? name : least), members[0]?.name ?? '');
}

/** Returns the bytes over the limit in layers that could be smaller. */
function excess(layers: readonly Cluster[], { scale }: Plan): number {
  return layers
    .filter((layer) => isOver(layer, scale))
    .reduce((sum, { bytes }) => sum + bytes - scale.maxLayer, 0);
}

function isOver({ bytes, members }: Cluster, { maxLayer }: Scale): boolean {
  return members.length > 1 && bytes > maxLayer;
}

/** Takes apart the layers that are over the limit. The others stay as if they were those of the previous version. */
function dissolved(layers: readonly Cluster[], { scale }: Plan): Known {
  const first = layers.findIndex((layer) => isOver(layer, scale));
  const stays = (some: readonly Cluster[]): Cluster[] =>
    some
      .filter((layer) => !isOver(layer, scale))
      .map(({ members }) => clusterOf(members.toSorted(byName), true));
  return {
    bottom: stays(layers.slice(0, first)),
    others: stays(layers.slice(first)),
    loose: layers
      .filter((layer) => isOver(layer, scale))
      .flatMap(({ members }) => members)
      .sort(byName),
  };
}

function byName(a: Component, b: Component): number {
  return a.name < b.name ? -1 : 1;
}

/** Packs what every build changes into as few layers as the limit allows, but leaves at least one layer to the rest. */
function topLayers(components: readonly Component[], { maxLayers, maxLayer }: LayerLimits): Cluster[] {
  const layers: Component[][] = [];
  let bytes = 0;
  for (const each of components) {
    bytes += each.bytes;
    if (layers.length === 0 || bytes > (maxLayer ?? Number.POSITIVE_INFINITY)) {
      layers.push([each]);
      bytes = each.bytes;
    } else layers.at(-1)?.push(each);
  }
  return layers.length <= Math.max(1, maxLayers - 1)
    ? layers.map((members) => clusterOf(members))
    : [clusterOf(components)];
}

function arrangementOf(layers: readonly Cluster[]): Arrangement {
  return {
    layers: layers.map(({ members }) => members.map(({ name }) => name).sort()),
  };
}
