import fc from 'fast-check';
import { expect, test } from 'vitest';
import { squash } from '../../src/slim/squash.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { diffRootfs } from '../support/model/filesystem.ts';
import { formProblems, rootfsOf, run, lawRuns } from './rig.ts';

test('law 1: squash of any range leaves the root filesystem as it was', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), fc.nat(), fc.nat(), async (stack, a, b) => {
      const tars = stack.layers.map((layer) => layer.tar);
      const from = (Math.min(a, b) % tars.length) + 1;
      const to = Math.max(from, (Math.max(a, b) % tars.length) + 1);
      const outcome = await run(tars, squash({ kind: 'range', from, to }));
      expect(diffRootfs(rootfsOf(tars), rootfsOf(outcome.tars))).toEqual([]);
      expect(formProblems(outcome, tars)).toEqual([]);
      expect(outcome.tars.length).toBe(tars.length - (to - from));
    }),
    { numRuns: lawRuns() },
  );
});

test('law 9: a squash reads no layer outside its range, unless a hard link leads out of it', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 2 }), fc.nat(), async (stack, a) => {
      const tars = stack.layers.map((layer) => layer.tar);
      const from = (a % (tars.length - 1)) + 1;
      const outcome = await run(tars, squash({ kind: 'range', from, to: tars.length }));
      const outside = [...outcome.read].filter((layer) => layer < from);
      if (outside.length > 0)
        expect(stack.layers.some((layer) => layer.model.some((entry) => entry.type === 'link'))).toBe(true);
      expect(outcome.tars.slice(0, from - 1)).toEqual(tars.slice(0, from - 1));
    }),
    { numRuns: lawRuns({ share: 1 / 4 }) },
  );
});
