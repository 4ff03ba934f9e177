import fc from 'fast-check';
import { expect, test } from 'vitest';
import { annotate, configure } from '../../src/configure/configure.ts';
import { type Image, type Plan, pipe, withPlan } from '../../src/image/image.ts';
import { rewrite } from '../jobs/rig.ts';
import { configEdit } from '../support/arbitrary/config-edit.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { buildImage } from '../support/image-builder.ts';
import { diffImages } from '../support/image-diff.ts';
import { lawRuns } from './rig.ts';
import { compressStage, slimStage } from './stages.ts';

const documents = fc.record({
  annotations: fc.dictionary(fc.constantFrom('a.b', 'c'), fc.string()),
  edits: fc.array(configEdit, { maxLength: 2 }),
});

test('law 7: a plan survives JSON, and gives the same image when it has', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1, maxLayers: 5, maxIntents: 5 }),
      fc.array(slimStage, { maxLength: 2 }),
      fc.array(compressStage, { maxLength: 2 }),
      documents,
      fc.boolean(),
      async (stack, slims, compressions, words, dropEmpty) => {
        const built = buildImage({
          layers: stack.layers.map((layer) => layer.tar),
          history: 'with-empty-layers',
        });
        const stages = [...slims, ...compressions].map((stage) => stage(stack.layers.length));
        let json = '';
        const planned = await rewrite(built, [
          pipe(...stages, ...words.edits.map(configure), annotate(words.annotations), (image: Image) => {
            const result = withPlan(image, { dropEmpty });
            json = JSON.stringify(result.plan);
            expect(JSON.parse(json)).toEqual(result.plan);
            return result;
          }),
        ]);
        const revived = await rewrite(built, [(image: Image) => withPlan(image, JSON.parse(json) as Plan)]);
        expect(diffImages(planned.tree, revived.tree)).toEqual([]);
        expect(revived.outcome.root?.descriptor.digest).toBe(planned.outcome.root?.descriptor.digest);
      },
    ),
    { numRuns: lawRuns({ usual: 60 }) },
  );
});
