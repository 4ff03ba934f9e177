import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Transform, withPlan } from '../../src/image/image.ts';
import { prune } from '../../src/slim/prune.ts';
import { squash } from '../../src/slim/squash.ts';
import { digestsOf, imageIn, rewrite, rootfsIn } from '../jobs/rig.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { applyLayers, diffRootfs } from '../support/model/filesystem.ts';
import { lawRuns } from './rig.ts';
import { compressStage, selectionOf, span } from './stages.ts';
import { layersIn } from '../support/made-layers.ts';

test('law 9: layers outside a squashed range keep their digests and are not opened', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 2, maxLayers: 6, maxIntents: 6 }),
      span,
      async (stack, range) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const built = buildImage({
          layers: tars,
          compress: tars.map((_, i) => (['gzip', 'zstd', 'none'] as const)[i % 3] ?? 'gzip'),
        });
        const selection = selectionOf(range, tars.length);
        if (selection.kind !== 'range') throw new Error('not a range');
        const { from, to } = selection;
        const { source, tree } = await rewrite(built, [squash(selection)]);
        const before = built.layers.map(({ digest }) => digest);
        const after = digestsOf(tree);
        expect(after.slice(0, from - 1)).toEqual(before.slice(0, from - 1));
        expect(after.slice(from)).toEqual(before.slice(to));
        const inside = new Set(from === to ? [] : before.slice(from - 1, to));
        const needed = stack.layers.some(({ model }) => model.some(({ type }) => type === 'link'));
        before.forEach((digest, i) => {
          if (inside.has(digest)) return;
          // Only a hard link out of the range may ask for layers below it, never for those above.
          if (i + 1 > to || !needed) expect(source.countOf(digest), `layer ${i + 1}`).toBe(0);
        });
      },
    ),
    { numRuns: lawRuns({ usual: 40 }) },
  );
});

test('law 9: layers outside the selection of a prune keep their digests; no layer is rewritten that did not change', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 2, maxLayers: 6, maxIntents: 6 }),
      span,
      async (stack, range) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const built = buildImage({ layers: tars });
        const selection = selectionOf(range, tars.length);
        if (selection.kind !== 'range') throw new Error('not a range');
        const { tree, outcome, target } = await rewrite(built, [prune(selection, { shadowed: true })]);
        const after = digestsOf(tree);
        built.layers.forEach(({ digest }, i) => {
          if (i + 1 < selection.from || i + 1 > selection.to) expect(after[i]).toBe(digest);
        });
        const rewritten = layersIn(outcome).filter(({ action }) => action === 'rewritten');
        expect(target.count('stage')).toBe(new Set(rewritten.map(({ digest }) => digest)).size);
      },
    ),
    { numRuns: lawRuns({ usual: 40 }) },
  );
});

test('laws 1, 3 and 4 through the whole interpreter, over an index of two platforms that share layers', async () => {
  const lossless: fc.Arbitrary<(count: number) => Transform> = fc.oneof(
    span.map((range) => (count: number) => squash(selectionOf(range, count))),
    span.map((range) => (count: number) => prune(selectionOf(range, count), { shadowed: true })),
    compressStage,
    fc.boolean().map((dropEmpty) => (): Transform => (image) => withPlan(image, { dropEmpty })),
  );
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 2, maxLayers: 5, maxIntents: 6 }),
      fc.array(lossless, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('oci' as const, 'docker' as const),
      fc.constantFrom('full' as const, 'none' as const, 'with-empty-layers' as const),
      async (stack, stages, family, history) => {
        const tars = stack.layers.map((layer) => layer.tar);
        // The second platform lacks the topmost layer of the first.
        const shorter = tars.slice(0, -1);
        const images = [
          buildImage({ layers: tars, family, history, platform: { os: 'linux', architecture: 'amd64' } }),
          buildImage({ layers: shorter, family, history, platform: { os: 'linux', architecture: 'arm64' } }),
        ];
        const transforms = stages.map((stage) => stage(shorter.length));
        const { tree } = await rewrite(buildIndex({ images, family }), transforms);
        for (const [layers, platform] of [
          [stack.layers, 'linux/amd64'],
          [stack.layers.slice(0, -1), 'linux/arm64'],
        ] as const) {
          const before = applyLayers(layers.map(({ model }) => model));
          expect(diffRootfs(before, rootfsIn(tree, platform))).toEqual([]);
          expect(imageIn(tree, platform).config.history === undefined).toBe(history === 'none');
        }
      },
    ),
    { numRuns: lawRuns({ usual: 40 }) },
  );
});
