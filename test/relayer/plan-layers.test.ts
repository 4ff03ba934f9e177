import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Arrangement, Component } from '../../src/relayer/component.ts';
import { planLayers } from '../../src/relayer/plan-layers.ts';
import { runs } from '../support/extent.ts';

const component = (
  name: string,
  bytes: number,
  change: number,
  rest: Partial<Component> = {},
): Component => ({ name, bytes, change, volatile: false, ...rest });

const components = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 4 }),
    bytes: fc.oneof(fc.nat(100), fc.nat(1_000_000)),
    change: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
    volatile: fc.nat(9).map((draw) => draw === 0),
    changed: fc.boolean(),
  }),
  { selector: ({ name }) => name, maxLength: 40 },
);

const limits = fc.record({
  maxLayers: fc.integer({ min: 1, max: 12 }),
  maxLayer: fc.option(fc.integer({ min: 1, max: 1_500_000 })),
});

const arrangement: fc.Arbitrary<Arrangement | null> = fc.option(
  fc.record({
    layers: fc.array(fc.array(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 6 }), {
      maxLength: 15,
    }),
  }),
);

const still = (list: readonly Component[]): Component[] => list.map((each) => ({ ...each, changed: false }));

const check = (property: fc.IProperty<unknown>): void => fc.assert(property, { numRuns: runs(200, 2000) });

/** An earlier plan of some of the components, and the version after it. */
const versions = fc
  .record({ all: components, limits, left: fc.nat(5) })
  .map(({ all, limits: own, left }) => ({
    all,
    limits: own,
    previous: planLayers(all.slice(left), own, null),
  }));

describe('a plan', () => {
  it('has every component once, in sorted layers of which none is empty, whatever the previous one', () => {
    check(
      fc.property(components, limits, arrangement, (list, own, previous) => {
        const { layers } = planLayers(list, own, previous);
        expect(layers.flat().toSorted()).toEqual(list.map(({ name }) => name).toSorted());
        for (const layer of layers) {
          expect(layer).not.toEqual([]);
          expect(layer).toEqual(layer.toSorted());
        }
      }),
    );
  });

  it('has at most as many layers as it may', () => {
    check(
      fc.property(components, limits, arrangement, (list, own, previous) => {
        expect(planLayers(list, own, previous).layers.length).toBeLessThanOrEqual(own.maxLayers);
      }),
    );
  });

  it('has no layer over the limit of bytes, if there is a layer for each component', () => {
    check(
      fc.property(components, limits, arrangement, (list, { maxLayer }, previous) => {
        const bytes = new Map(list.map((each) => [each.name, each.bytes]));
        const { layers } = planLayers(list, { maxLayers: list.length + 1, maxLayer }, previous);
        for (const layer of layers)
          if (layer.length > 1)
            expect(layer.reduce((sum, name) => sum + (bytes.get(name) ?? 0), 0)).toBeLessThanOrEqual(
              maxLayer ?? Number.POSITIVE_INFINITY,
            );
      }),
    );
  });

  it('is the previous one for an image that has not changed', () => {
    check(
      fc.property(components, limits, arrangement, (list, own, before) => {
        const plan = planLayers(list, own, before);
        expect(planLayers(still(list), own, plan)).toEqual(plan);
      }),
    );
  });

  it('does not depend on the order of the components', () => {
    check(
      fc.property(versions, fc.func(fc.integer()), ({ all, limits: own, previous }, key) => {
        const shuffled = all.toSorted((a, b) => key(a.name) - key(b.name));
        expect(planLayers(shuffled, own, previous)).toEqual(planLayers(all, own, previous));
      }),
    );
  });

  it('keeps the layers of which nothing is new, gone or changed, where there is room for the rest', () => {
    check(
      fc.property(versions, ({ all, limits: { maxLayer }, previous }) => {
        const byName = new Map(all.map((each) => [each.name, each]));
        const stays = previous.layers.filter(
          (layer) =>
            layer.every((name) => byName.get(name)?.changed === false && !byName.get(name)?.volatile) &&
            (layer.length === 1 ||
              layer.reduce((sum, name) => sum + (byName.get(name)?.bytes ?? 0), 0) <=
                (maxLayer ?? Number.POSITIVE_INFINITY)),
        );
        const { layers } = planLayers(all, { maxLayers: all.length + 1, maxLayer }, previous);
        for (const layer of stays) expect(layers).toContainEqual(layer);
      }),
    );
  });

  it('has what every build changes on top', () => {
    check(
      fc.property(components, limits, arrangement, (list, own, previous) => {
        const volatile = new Set(list.filter((each) => each.volatile).map(({ name }) => name));
        const { layers } = planLayers(list, own, previous);
        if (layers.length < 2) return;
        const kinds = layers.map((layer) => layer.map((name) => volatile.has(name)));
        expect(kinds.every((layer) => new Set(layer).size === 1)).toBe(true);
        const lowest = kinds.findIndex(([first]) => first === true);
        expect(kinds.slice(Math.max(0, lowest)).every(([first]) => first === lowest >= 0)).toBe(true);
      }),
    );
  });
});

it('puts what changes apart from what does not', () => {
  const list = [
    component('a', 500, 0.01),
    component('b', 400, 0.01),
    component('c', 100, 0.5),
    component('d', 100, 0.6),
    component('log', 1, 1, { volatile: true }),
  ];
  expect(planLayers(list, { maxLayers: 3, maxLayer: null }, null).layers).toEqual([
    ['a', 'b'],
    ['c', 'd'],
    ['log'],
  ]);
});

it('puts large and stable layers lowest, for clients that fetch everything above the first change', () => {
  const list = [component('often', 100, 0.9), component('large', 1000, 0.01), component('small', 10, 0.01)];
  expect(planLayers(list, { maxLayers: 9, maxLayer: null }, null).layers).toEqual([
    ['large'],
    ['small'],
    ['often'],
  ]);
});

it('leaves the chain of layers up to the first change as it was, even if its order is no longer the best', () => {
  const list = [
    component('a', 10, 0.5),
    component('b', 1000, 0.01),
    component('c', 10, 0.9, { changed: true }),
  ];
  const previous = { layers: [['a'], ['b'], ['c']] };
  expect(planLayers(list, { maxLayers: 9, maxLayer: null }, previous)).toEqual(previous);
});

it('changes the layers that clients must fetch in any case', () => {
  const list = [
    component('a', 1000, 0.01),
    component('b', 1000, 0.9, { changed: true }),
    component('c', 1000, 0.9),
    component('d', 1000, 0.01),
  ];
  const previous = {
    layers: [
      ['a', 'b'],
      ['c', 'd'],
    ],
  };
  // The layer of c and d is kept: clients would have to fetch both of its parts.
  expect(planLayers(list, { maxLayers: 3, maxLayer: null }, previous).layers).toEqual([
    ['a'],
    ['c', 'd'],
    ['b'],
  ]);
});

it('gives a new component the layer in which it costs least', () => {
  const list = [component('a', 1000, 0.01), component('b', 100, 0.8), component('c', 10, 0.8)];
  expect(planLayers(list, { maxLayers: 2, maxLayer: null }, { layers: [['a'], ['b']] }).layers).toEqual([
    ['a'],
    ['b', 'c'],
  ]);
});

it('plans 5,000 components and 127 layers', () => {
  const list = Array.from({ length: 5000 }, (_, i) =>
    component(`c${i}`, (i * 7919) % 100_003, ((i * 104_729) % 1009) / 1009),
  );
  const plan = planLayers(list, { maxLayers: 127, maxLayer: 10_000_000 }, null);
  expect(plan.layers).toHaveLength(127);
  expect(plan.layers.flat()).toHaveLength(5000);
});
