/**
 * Simulates updates of a series of images: what a client that has one build downloads for the next one, by how the image is laid out.
 * `bench/relayer.ts` prints the results.
 */
import type { Arrangement } from '../../src/relayer/component.ts';
import type { MappedComponent } from '../../src/relayer/components-of.ts';
import { planLayers } from '../../src/relayer/plan-layers.ts';
import { type ComponentDigests, rateChanges } from '../../src/relayer/rate-changes.ts';
import { chunkah } from './chunkah.ts';
import type { Collection, Series } from './series.ts';

/** A build: its components and the contents that they have. */
interface Build {
  readonly components: readonly MappedComponent[];
  readonly digests: ComponentDigests;
  readonly time: number;
}

/** A way to lay out the builds of a series, one after the other. */
export interface Strategy {
  readonly name: string;
  /** Lays out a build. `earlier` are the builds before it, and `previous` is what the last call returned. */
  layOut(build: Build, earlier: readonly Build[], previous: Arrangement | null): Arrangement;
}

/** By update: the share of the image's bytes that is downloaded. */
export type Downloads = readonly number[];

/** What every build changes: databases and logs. */
const volatile = 'volatile';

/** Returns the layouts that are compared, for a number of layers. */
export function strategies({ dates }: Collection, count: number): readonly Strategy[] {
  const limits = { maxLayers: count, maxLayer: null };
  const plan = (
    build: Build,
    history: readonly Build[],
    earlier: readonly Build[],
    previous: Arrangement | null,
  ) =>
    planLayers(
      rateChanges(build.components, {
        current: build.digests,
        previous: earlier.at(-1)?.digests ?? null,
        history: history.map(({ digests }) => digests),
        dates,
        now: build.time,
      }),
      limits,
      previous,
    );
  return [
    {
      name: `chunkah, ${count} layers`,
      layOut: ({ components, time }) => ({
        layers: chunkah(
          components.map((each) => ({ ...each, dates: dates.get(each.name) ?? [] })),
          count,
          time,
        ),
      }),
    },
    {
      name: `ocislim, ${count} layers, no history`,
      layOut: (build, earlier, previous) => plan(build, earlier.slice(-1), earlier, previous),
    },
    {
      name: `ocislim, ${count} layers`,
      layOut: (build, earlier, previous) => plan(build, earlier, earlier, previous),
    },
  ];
}

/** Lays out a series with the share of its updates that change each component: what no estimate can know beforehand. */
export function foreseeing({ components }: Series, count: number): Strategy {
  const rates = new Map(components.map(({ name, versions }) => [name, rateOf(versions)]));
  return {
    name: `ocislim, ${count} layers, rates of the whole series`,
    layOut: (build, earlier, previous) => {
      const before = earlier.at(-1)?.digests;
      const rated = build.components.map((each) => ({
        ...each,
        change: rates.get(each.name) ?? 0,
        changed: before !== undefined && before.get(each.name) !== build.digests.get(each.name),
      }));
      return planLayers(rated, { maxLayers: count, maxLayer: null }, previous);
    },
  };
}

/** Returns the share of updates that change a component, of those before and after which it is there. */
function rateOf(versions: readonly (number | null)[]): number {
  const updates = versions.slice(1).filter((version, at) => version !== null && versions[at] !== null);
  const changes = versions
    .slice(1)
    .filter((version, at) => version !== null && versions[at] !== null && version !== versions[at]);
  return updates.length === 0 ? 0 : changes.length / updates.length;
}

/** The bound: every component by itself. */
export const bound: Strategy = {
  name: 'only what changed',
  layOut: ({ components }) => ({ layers: components.map(({ name }) => [name]) }),
};

/** Everything in one layer. */
export const squashed: Strategy = {
  name: 'one squashed layer',
  layOut: ({ components }) => ({ layers: [components.map(({ name }) => name)] }),
};

/** Simulates all updates of a series. */
export function simulate(series: Series, strategy: Strategy): Downloads {
  const builds = buildsOf(series);
  const downloads: number[] = [];
  let before: { readonly build: Build; readonly plan: Arrangement } | null = null;
  builds.forEach((build, at) => {
    const plan = strategy.layOut(build, builds.slice(0, at), before?.plan ?? null);
    if (before !== null) downloads.push(shareOf(build, plan, before.build, before.plan));
    before = { build, plan };
  });
  return downloads;
}

/** Simulates the layers of a Dockerfile: an instruction that changes makes all above it run again, with new times of files. */
export function dockerfile(series: Series): Downloads {
  const builds = buildsOf(series);
  const layers = new Map(series.components.map(({ name, layer }) => [name, layer]));
  return builds.slice(1).map((build, at) => {
    const before = builds[at] as Build;
    const names = new Set([...build.digests.keys(), ...before.digests.keys()]);
    const changed = [...names].filter(
      (name) => name !== volatile && build.digests.get(name) !== before.digests.get(name),
    );
    const lowest = Math.min(...changed.map((name) => layers.get(name) ?? 0));
    const sent = build.components.filter(({ name }) => (layers.get(name) ?? 0) >= lowest);
    return totalOf(sent) / totalOf(build.components);
  });
}

function buildsOf({ times, components }: Series): readonly Build[] {
  return times.map((time, at) => {
    const there = components.filter(({ versions }) => versions[at] !== null);
    return {
      time,
      digests: new Map(there.map(({ name, versions }) => [name, String(versions[at])])),
      components: there.map(({ name, versions, bytes }) => ({
        name,
        bytes: bytes[versions[at] as number] ?? bytes[0] ?? 0,
        volatile: name === volatile,
        files: 1,
        mtime: 0,
      })),
    };
  });
}

function shareOf(build: Build, plan: Arrangement, before: Build, earlier: Arrangement): number {
  const bytes = new Map(build.components.map((each) => [each.name, each.bytes]));
  const have = new Set(earlier.layers.map((layer) => contentOf(layer, before)));
  const sent = plan.layers.filter((layer) => !have.has(contentOf(layer, build))).flat();
  return sent.reduce((sum, name) => sum + (bytes.get(name) ?? 0), 0) / totalOf(build.components);
}

function contentOf(layer: readonly string[], { digests }: Build): string {
  return layer
    .map((name) => `${name}@${digests.get(name)}`)
    .toSorted()
    .join('\n');
}

function totalOf(components: readonly MappedComponent[]): number {
  return components.reduce((sum, { bytes }) => sum + bytes, 0);
}
