import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pipe } from '../../src/image/image.ts';
import { rewrite } from '../jobs/rig.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { buildImage } from '../support/image-builder.ts';
import { diffImages } from '../support/image-diff.ts';
import { tar } from '../jobs/rig.ts';
import { imageOf, lawRuns } from './rig.ts';
import { compressStage, slimStage } from './stages.ts';

test('law 6: slimming and compressing give the same plan in either order, however they are shuffled together', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(slimStage, { maxLength: 3 }),
      fc.array(compressStage, { maxLength: 3 }),
      fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      (count, slimStages, compressStages, order) => {
        const image = imageOf(Array.from({ length: count }, (_, i) => tar(`file-${i}=x`)));
        const slims = slimStages.map((stage) => stage(count));
        const compressions = compressStages.map((stage) => stage(count));
        const plan = pipe(...slims, ...compressions)(image).plan;
        expect(pipe(...compressions, ...slims)(image).plan).toEqual(plan);
        const left = [...slims];
        const right = [...compressions];
        const shuffled = order.flatMap((slimFirst) => {
          const next = slimFirst ? (left.shift() ?? right.shift()) : (right.shift() ?? left.shift());
          return next === undefined ? [] : [next];
        });
        expect(shuffled).toHaveLength(slims.length + compressions.length);
        expect(pipe(...shuffled)(image).plan).toEqual(plan);
      },
    ),
    { numRuns: lawRuns() },
  );
});

test('law 6: the same image comes out in either order', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1, maxLayers: 5, maxIntents: 5 }),
      slimStage,
      compressStage,
      async (stack, slimming, compression) => {
        const image = buildImage({ layers: stack.layers.map((layer) => layer.tar) });
        const stages = [slimming(stack.layers.length), compression(stack.layers.length)] as const;
        const one = await rewrite(image, [stages[0], stages[1]]);
        const other = await rewrite(image, [stages[1], stages[0]]);
        expect(diffImages(one.tree, other.tree)).toEqual([]);
        expect(other.outcome.root?.descriptor.digest).toBe(one.outcome.root?.descriptor.digest);
      },
    ),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});
