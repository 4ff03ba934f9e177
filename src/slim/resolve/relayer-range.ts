/**
 * Decides how the contents of a range of layers are laid out as new layers: which components there are, which layer each goes to,
 * and which changes each layer has. `resolve` calls it for images whose plan asks for it.
 */
import type { Change } from '../../changeset/change.ts';
import type { NewContents } from '../../changeset/edit.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { Stack } from '../../changeset/stack.ts';
import type { ContentDigests, LayerAssignment, Relayering } from '../../image/relayering.ts';
import { changeDates } from '../../relayer/change-dates.ts';
import type { Component } from '../../relayer/component.ts';
import type { ComponentMap } from '../../relayer/components-of.ts';
import { noComponent } from '../../relayer/drafts.ts';
import { planLayers } from '../../relayer/plan-layers.ts';
import { rateChanges } from '../../relayer/rate-changes.ts';
import type { FileFacts, LayerFacts } from '../../rootfs/facts/facts.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import type { Steps } from '../../steps.ts';
import type { AdoptedNoise } from './adopt-noise.ts';
import { digestSteps } from './component-digests.ts';
import { dividedSteps } from './divide-image.ts';
import { sourceChanceSteps } from './source-chances.ts';
import { splitLayer } from './split-layer.ts';

/** What is known of an image whose layers are relayered. */
export interface RelayerInput {
  readonly relayering: Relayering;
  /** Whether the layers are already those of a layout: they do not tell then what an instruction put there. */
  readonly isLaidOut: boolean;
  /** The layers after all prunings. */
  readonly stack: Stack;
  /** The layers as they are: packages are read before anything is removed. */
  readonly original: Stack;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly factsOf: (fs: Filesystem) => FileFacts;
  /** Facts from the scan about files, by source layer number. */
  readonly facts: ReadonlyMap<number, LayerFacts>;
  /** New contents by file. */
  readonly contents: ReadonlyMap<number, NewContents>;
  /** New permission bits by change id. */
  readonly modes: Map<number, number>;
  /** What of the changes was taken over from the previous version. */
  readonly adopted: AdoptedNoise | null;
  /** The time of the image, in seconds since 1970. */
  readonly now: number;
}

/** The new layers of an image. */
export interface Relayered {
  /** The components of each new layer, the lowest first. */
  readonly layers: readonly (readonly Component[])[];
  /** The assignment, by which a later version keeps as much as possible. */
  readonly assignment: LayerAssignment;
  /** The chance that an update changes each source layer, by its number; none for one of which containers see nothing. */
  readonly sourceChances: ReadonlyMap<number, number>;
  /** What was taken over from the previous version; null where nothing asked for that, or without a previous version. */
  readonly adopted: AdoptedNoise | null;
}

/** Lays out the changes of a range as several layers. Returns the changes of each, and what is in it. */
export function* relayerSteps(
  changes: readonly Change[],
  input: RelayerInput,
): Steps<{ readonly parts: readonly (readonly Change[])[]; readonly relayered: Relayered }> {
  const { map, components, digests, sourceChances } = yield* componentsIn(input);
  const { relayering, stack } = input;
  const { maxLayer, layers: range } = relayering;
  const [previous = null] = relayering.previous;
  const limits = { maxLayers: Math.max(1, relayering.maxLayers - (range.from - 1)), maxLayer };
  const { layers: names } = planLayers(components, limits, previous);
  yield;
  const layerOfName = new Map(names.flatMap((own, i) => own.map((name) => [name, i] as const)));
  const layerOfComponent = components.map(({ name }) => layerOfName.get(name) ?? null);
  const parts = splitLayer(changes, {
    ...stack,
    count: Math.max(1, names.length),
    layerOf: (path) => {
      const component = map.of[path] as number;
      return component === noComponent ? null : (layerOfComponent[component] ?? null);
    },
    modes: input.modes,
  });
  const byName = new Map(components.map((component) => [component.name, component] as const));
  const layers = names.map((own) => own.flatMap((name) => byName.get(name) ?? []));
  return {
    parts,
    relayered: {
      layers,
      assignment: { layers: names, digests: Object.fromEntries(digests) },
      sourceChances,
      adopted: input.adopted,
    },
  };
}

interface FoundComponents {
  readonly map: ComponentMap;
  readonly components: readonly Component[];
  /** By name of the component. */
  readonly digests: ReadonlyMap<string, string>;
  readonly sourceChances: ReadonlyMap<number, number>;
}

/** Finds the components of the root filesystem above the layers that stay, and how likely an update changes each. */
function* componentsIn(input: RelayerInput): Steps<FoundComponents> {
  const { relayering, isLaidOut, stack, now } = input;
  const [previous = null] = relayering.previous;
  const known = new Set(previous?.layers.flat());
  const base = relayering.layers.from - 1;
  const division = { ...relayering, known, byLayer: !isLaidOut };
  const { map, tree, fs, facts, packages } = yield* dividedSteps({ ...input, base }, division);
  const digests = yield* digestSteps(map, { ...input, tree });
  const components = rateChanges(map.components, {
    current: digests,
    previous: mapOf(previous?.digests),
    history: [...relayering.previous.map(({ digests: own }) => own), ...relayering.history].flatMap(
      (own) => mapOf(own) ?? [],
    ),
    dates: changeDates({ fs, facts }, packages),
    now,
  });
  const sourceChances = yield* sourceChanceSteps(map, components, { stack, tree });
  return { map, components, digests, sourceChances };
}

function mapOf(digests: ContentDigests | undefined): ReadonlyMap<string, string> | null {
  return digests === undefined ? null : new Map(Object.entries(digests));
}
