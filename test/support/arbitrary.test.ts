import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALL_FEATURES, type Feature, layerStack } from './arbitrary/layers.ts';
import { ambiguities, applyLayer, emptyRootfs } from './model/filesystem.ts';

const SAMPLES = 500;

describe('layerStack', () => {
  it('makes valid stacks that all runtimes mean the same by', () => {
    fc.assert(
      fc.property(layerStack(), (stack) => {
        let rootfs = emptyRootfs();
        for (const layer of stack.layers) {
          expect(ambiguities(rootfs, layer.model)).toEqual([]);
          rootfs = applyLayer(rootfs, layer.model);
        }
        expect(stack.layers.length).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });

  it('shows every feature in a decent share of stacks', () => {
    const counts = new Map<Feature, number>(ALL_FEATURES.map((feature) => [feature, 0]));
    for (const stack of fc.sample(layerStack(), { numRuns: SAMPLES, seed: 20 })) {
      for (const feature of stack.features) counts.set(feature, (counts.get(feature) ?? 0) + 1);
    }
    const rare = [...counts].filter(([, count]) => count < SAMPLES / 50);
    expect(rare).toEqual([]);
  });
});
