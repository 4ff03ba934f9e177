import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configure } from '../../src/configure/configure.ts';
import { rewrite } from '../jobs/rig.ts';
import { configEdit } from '../support/arbitrary/config-edit.ts';
import { config as someConfig } from '../support/arbitrary/image-config.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { type BuiltTree, buildImage, readImageFrom } from '../support/image-builder.ts';
import { lawRuns } from './rig.ts';
import { compressStage, slimStage } from './stages.ts';

const image = fc
  .record({
    stack: layerStack({ minLayers: 1, maxLayers: 4, maxIntents: 4 }),
    family: fc.constantFrom('oci' as const, 'docker' as const),
    history: fc.constantFrom('full' as const, 'none' as const, 'with-empty-layers' as const),
    config: someConfig,
  })
  .map(({ stack, ...recipe }) => ({
    built: buildImage({ layers: stack.layers.map(({ tar }) => tar), ...recipe }),
    count: stack.layers.length,
  }));

const digestOf = ({ outcome }: { outcome: { root: { descriptor: { digest: string } } | null } }) =>
  outcome.root?.descriptor.digest;
const rowsOf = (tree: BuiltTree) => readImageFrom(tree).config.history ?? [];

// `rewrite` validates what it made, by a reader of images that shares no code with ours.
test('law 13: an edit of the config leaves layers and DiffIDs, adds rows without layers alone, and doing it again changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(image, configEdit, async ({ built }, edit) => {
      const edited = await rewrite(built, [configure(edit)]);
      const [before, after] = [readImageFrom(built), readImageFrom(edited.tree)];
      expect(after.manifest.layers).toEqual(before.manifest.layers);
      expect(after.config.rootfs).toEqual(before.config.rootfs);
      const [were, are] = [rowsOf(built), rowsOf(edited.tree)];
      expect(are.slice(0, were.length)).toEqual(were);
      for (const row of are.slice(were.length)) expect(row).toMatchObject({ empty_layer: true });
      if (were.length === 0) expect(are).toEqual([]);
      const again = await rewrite(edited.tree, [configure(edit)]);
      expect(digestOf(again)).toBe(digestOf(edited));
      expect(edited.target.count('stage')).toBe(0);
    }),
    { numRuns: lawRuns({ usual: 60 }) },
  );
});

test('law 13: edits in one run say what they say in two; one that changes nothing leaves the digest', async () => {
  await fc.assert(
    fc.asyncProperty(image, configEdit, configEdit, async ({ built }, one, other) => {
      const together = await rewrite(built, [configure(one), configure(other)]);
      const first = await rewrite(built, [configure(one)]);
      const apart = await rewrite(first.tree, [configure(other)]);
      const [a, b] = [together, apart].map(({ tree }) => {
        const { history: _, ...config } = readImageFrom(tree).config;
        return config;
      });
      expect(a).toEqual(b);
      if (JSON.stringify(a) === JSON.stringify({ ...readImageFrom(built).config, history: undefined }))
        expect(digestOf(together)).toBe(built.descriptor.digest);
    }),
    { numRuns: lawRuns({ usual: 40 }) },
  );
});

test('law 6: edits of the config commute with what is done to layers', async () => {
  await fc.assert(
    fc.asyncProperty(
      image,
      configEdit,
      slimStage,
      compressStage,
      async ({ built, count }, edit, slim, compress) => {
        const [stages, edits] = [[slim(count), compress(count)], [configure(edit)]];
        const before = await rewrite(built, [...edits, ...stages]);
        const after = await rewrite(built, [...stages, ...edits]);
        expect(digestOf(before)).toBe(digestOf(after));
      },
    ),
    { numRuns: lawRuns({ usual: 40 }) },
  );
});
