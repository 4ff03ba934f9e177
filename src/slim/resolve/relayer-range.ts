/**
 * Decides how the contents of a range of layers are laid out as new layers: which components there are, which layer each goes to,
 * and which changes each layer has. `resolve` calls it for images whose plan asks for it.
 */
import type { Change } from '../../changeset/change.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { type Stack } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import type { LayerAssignment, Relayering } from '../../image/relayering.ts';
import { type ComponentMap, componentSteps, noComponent } from '../../relayer/components-of.ts';
import { type Component } from '../../relayer/component.ts';
import { planLayers } from '../../relayer/plan-layers.ts';
import type { FileFacts } from '../../rootfs/facts/facts.ts';
import { Filesystem, mergeStack } from '../../rootfs/filesystem.ts';
import { packagesOf } from '../../rootfs/packages/package-index.ts';
import { createKeepMatcher } from '../../rules/rules.ts';
import type { Steps } from '../../steps.ts';
import { splitLayer } from './split-layer.ts';

/** What is known of an image whose layers are laid out anew. */
export interface RelayerInput {
  readonly relayering: Relayering;
  /** The layers after all prunings. */
  readonly stack: Stack;
  /** The layers as they are: packages are read before anything is removed. */
  readonly original: Stack;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly factsOf: (fs: Filesystem) => FileFacts;
  /** New permission bits by change id. */
  readonly modes: Map<number, number>;
}

/** The new layers of an image. */
export interface Relayered {
  /** The components of each new layer, the lowest first. */
  readonly layers: readonly (readonly Component[])[];
  /** The assignment, by which a later version keeps as much as possible. */
  readonly assignment: LayerAssignment;
}

/** Lays out the changes of a range as several layers. Returns the changes of each, and what is in it. */
export function* relayerSteps(
  changes: readonly Change[],
  input: RelayerInput,
): Steps<{ readonly parts: readonly (readonly Change[])[]; readonly relayered: Relayered }> {
  const map = yield* componentsIn(input);
  const { relayering, stack } = input;
  const { maxLayer, previous, layers: range } = relayering;
  const limits = { maxLayers: Math.max(1, relayering.maxLayers - (range.from - 1)), maxLayer };
  const assignment = planLayers(map.components, limits, previous);
  yield;
  const layerOfName = new Map(assignment.layers.flatMap((names, i) => names.map((name) => [name, i] as const)));
  const layerOfComponent = map.components.map(({ name }) => layerOfName.get(name) ?? null);
  const parts = splitLayer(changes, {
    ...stack,
    count: Math.max(1, assignment.layers.length),
    layerOf: (path) => {
      const component = map.of[path] as number;
      return component === noComponent ? null : (layerOfComponent[component] ?? null);
    },
    modes: input.modes,
  });
  const byName = new Map(map.components.map((component) => [component.name, component] as const));
  const layers = assignment.layers.map((names) => names.flatMap((name) => byName.get(name) ?? []));
  return { parts, relayered: { layers, assignment } };
}

/** Finds the components of the root filesystem above the layers that stay. */
function* componentsIn({ relayering, stack, original, indexes, factsOf }: RelayerInput): Steps<ComponentMap> {
  const { by, groups, maxLayer, layers: range } = relayering;
  const tree = new Tree(stack.table, stack.list);
  for (const changes of stack.layers.values()) {
    tree.apply(changes, { onLink: (link, file) => void stack.list.resolve(link, file) });
    yield;
  }
  const before = mergeStack(original, indexes);
  yield;
  const matchers = groups.map(({ name, globs }) => {
    const match = createKeepMatcher(globs);
    return { name, matches: (path: Parameters<typeof match>[0]) => match(path) !== null };
  });
  return yield* componentSteps({
    stack,
    tree,
    indexes,
    packages: packagesOf({ fs: before, facts: factsOf(before) }),
    options: { by, groups: matchers, maxLayer },
    base: range.from - 1,
  });
}
