import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALL_FEATURES, type Feature, type GeneratedStack, layerStack } from './arbitrary/layers.ts';
import { ambiguities, applyLayer, applyLayers, diffRootfs, emptyRootfs } from './model/filesystem.ts';

const SAMPLES = 500;

function countFeatures(stacks: readonly GeneratedStack[]): Map<Feature, number> {
  const counts = new Map<Feature, number>(ALL_FEATURES.map((feature) => [feature, 0]));
  for (const { features } of stacks) {
    for (const feature of features) counts.set(feature, (counts.get(feature) ?? 0) + 1);
  }
  return counts;
}

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
    const counts = countFeatures(fc.sample(layerStack(), { numRuns: SAMPLES, seed: 20 }));
    expect([...counts].filter(([, count]) => count < SAMPLES / 20)).toEqual([]);
  });

  it('leaves a root filesystem worth comparing', () => {
    const sizes = fc
      .sample(layerStack(), { numRuns: SAMPLES, seed: 21 })
      .map(({ layers }) => applyLayers(layers.map(({ model }) => model)).size)
      .sort((a, b) => a - b);
    expect(sizes[SAMPLES / 2]).toBeGreaterThan(5);
    expect(sizes.at(-1)).toBeGreaterThan(20);
  });

  it('leaves out what it is told to, and what not every runtime can unpack', () => {
    const plain = fc.sample(layerStack({ without: ['leftover', 'sparse'], maxLayers: 3 }), {
      numRuns: 200,
      seed: 22,
    });
    expect(Math.max(...plain.map(({ layers }) => layers.length))).toBe(3);
    expect(countFeatures(plain).get('leftover')).toBe(0);
    expect(countFeatures(plain).get('sparse file')).toBe(0);

    const portable = countFeatures(fc.sample(layerStack({ portable: true }), { numRuns: SAMPLES, seed: 23 }));
    const absent: Feature[] = [
      'device',
      'global header',
      'leftover',
      'contiguous file',
      'root entry',
      'child of a lower non-directory',
    ];
    expect(
      [...portable]
        .filter(([, count]) => count === 0)
        .map(([feature]) => feature)
        .sort(),
    ).toEqual(absent.sort());
  });

  it.each<[Feature, number]>([
    ['hard link into a lower layer', 3],
    ['link between two entries of one name', 3],
    ['whiteout and re-creation as a directory', 4],
    ['opaque after its siblings', 2],
    ['name not UTF-8', 1],
    ['child of a lower non-directory', 2],
  ])('shrinks a stack that fails by “%s” to %i entries at most', (feature, most) => {
    const { counterexample } = fc.check(
      fc.property(layerStack(), ({ features }) => !features.has(feature)),
      { seed: 24, numRuns: 2000 },
    );
    const [stack] = counterexample ?? [];
    const entries = stack?.layers.flatMap((layer) => layer.entries) ?? [];
    expect(entries.length, stack?.describe()).toBeLessThanOrEqual(most);
    expect(entries.length).toBeGreaterThan(0);
  });

  it('describes a stack in the message of a failed property', () => {
    const { counterexample } = fc.check(
      fc.property(layerStack(), ({ features }) => !features.has('name with a newline')),
      { seed: 25, numRuns: 2000 },
    );
    const text = fc.stringify(counterexample);
    expect(text).toContain('layer 1 (');
    expect(text).toContain('new\\nline');
  });

  it('makes the same stack from the same seed', () => {
    const [one] = fc.sample(layerStack(), { numRuns: 1, seed: 26 });
    const [two] = fc.sample(layerStack(), { numRuns: 1, seed: 26 });
    expect(one?.layers).toEqual(two?.layers);
    const rootfs = (stack: GeneratedStack | undefined) =>
      applyLayers(stack?.layers.map(({ model }) => model) ?? []);
    expect(diffRootfs(rootfs(one), rootfs(two))).toEqual([]);
  });
});
