import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUntouched } from '../../src/image/image.ts';
import { fewerLayers } from '../../src/slim/fewer-layers.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { diffRootfs } from '../support/model/filesystem.ts';
import { formProblems, lawRuns, rootfsOf, run } from './rig.ts';

test('law 17: an image with at most N layers has the root filesystem that it had, and only merged layers are new', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1, maxLayers: 9, maxIntents: 6 }),
      fc.integer({ min: 1, max: 9 }),
      async (stack, maxLayers) => {
        const tars = stack.layers.map(({ tar }) => tar);
        const outcome = await run(tars, fewerLayers({ maxLayers, within: null }));
        expect(outcome.tars).toHaveLength(Math.min(maxLayers, tars.length));
        expect(diffRootfs(rootfsOf(tars), rootfsOf(outcome.tars))).toEqual([]);
        expect(formProblems(outcome, tars)).toEqual([]);
        expect(isUntouched(outcome.image)).toBe(tars.length <= maxLayers);
        for (const [i, { content }] of outcome.image.plan.layers.entries())
          if (content.kind === 'stored') expect(outcome.tars[i]).toBe(tars[content.layer - 1]);
      },
    ),
    { numRuns: lawRuns() },
  );
});
