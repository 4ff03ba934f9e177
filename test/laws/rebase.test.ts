import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Image } from '../../src/image/image.ts';
import { imageMembers, readImageSet } from '../../src/jobs/image-set.ts';
import { rebase } from '../../src/rebase/rebase.ts';
import { rewrite } from '../jobs/rig.ts';
import { config as someConfig } from '../support/arbitrary/image-config.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { type BuiltImage, type BuiltTree, buildImage, readImageFrom } from '../support/image-builder.ts';
import { MemorySource } from '../support/memory-store.ts';
import { applyLayers } from '../support/model/filesystem.ts';
import { lawRuns } from './rig.ts';

const stack = (min: number) => layerStack({ minLayers: min, maxLayers: 3, maxIntents: 4 });
const compress = fc.constantFrom('gzip' as const, 'zstd' as const, 'none' as const);
const history = fc.constantFrom('full' as const, 'none' as const, 'with-empty-layers' as const);

/** Returns rows of a history that begins and ends with one without a layer. */
const rowsFor = (count: number, who: string) => [
  { created_by: `${who} ENV`, empty_layer: true },
  ...Array.from({ length: count }, (_, i) => ({ created_by: `${who} ${i}` })),
  { created_by: `${who} CMD`, empty_layer: true },
];

const recipe = fc.record({
  // One stack for all, so that layers of an application delete and replace what bases have.
  layers: layerStack({ minLayers: 4, maxLayers: 8, maxIntents: 4 }).map(({ layers }) =>
    layers.map(({ tar }) => tar),
  ),
  other: stack(1).map(({ layers }) => layers.map(({ tar }) => tar)),
  cut: fc.nat({ max: 2 }),
  packed: compress,
  history,
  configs: fc.tuple(someConfig, someConfig, someConfig),
  family: fc.constantFrom('oci' as const, 'docker' as const),
});

const notes = (base: BuiltImage) => ({
  'org.opencontainers.image.base.name': 'r.example/base:1',
  'org.opencontainers.image.base.digest': base.descriptor.digest,
});

async function imageIn(tree: BuiltTree): Promise<Image> {
  const signal = new AbortController().signal;
  const set = await readImageSet(new MemorySource(tree), { platforms: [], signal });
  return imageMembers(set)[0]?.image as Image;
}

/** Puts an image from one base on another. The source holds what both have. */
async function onBase(tree: BuiltTree, from: BuiltImage, to: BuiltImage) {
  const [old, fresh] = [await imageIn(from), await imageIn(to)];
  const named = ({ descriptor: { digest } }: Image) => ({ name: 'r.example/base:1', digest, root: digest });
  const bases = {
    from: old,
    to: fresh,
    fromName: 'the old base',
    names: { from: named(old), to: named(fresh) },
  };
  const source = { ...tree, blobs: new Map([...to.blobs, ...tree.blobs]) };
  return rewrite(source, [rebase(() => bases)]);
}

/** Returns the files of a stack; null where a hard link leads to nothing, or to a directory. */
function merged(layers: Parameters<typeof applyLayers>[0]): ReturnType<typeof applyLayers> | null {
  try {
    return applyLayers(layers);
  } catch (error) {
    const { reason } = error as { reason?: string };
    if (reason === 'dangling-link' || reason === 'link-to-directory') return null;
    throw error;
  }
}

const digestOf = ({ outcome }: Awaited<ReturnType<typeof rewrite>>) => outcome.root?.descriptor.digest;

test('law 15: a rebased image has the files of the new base under the layers of the application, the history of both, and leads back', async () => {
  await fc.assert(
    fc.asyncProperty(recipe, async ({ layers, other, cut, packed, history: rows, configs, family }) => {
      const [appConfig, fromConfig, toConfig] = configs;
      const [below, above] = [layers.slice(0, cut), layers.slice(cut)];
      const from = buildImage({ layers: below, config: fromConfig, history: rows, family });
      // A base may be packed in another way than the layers of the image that were taken from it.
      const recompressed = family === 'docker' && packed === 'zstd' ? 'none' : packed;
      const to = buildImage({
        layers: other,
        config: toConfig,
        compress: recompressed,
        history: rows,
        family,
      });
      const app = buildImage({ layers, config: appConfig, history: rows, annotations: notes(from), family });
      const wanted = merged([...readImageFrom(to).layers, ...readImageFrom(app).layers.slice(cut)]);
      // A hard link to what only the old base has as a file: no program could unpack the result, and the command refuses it.
      fc.pre(wanted !== null);
      const rebased = await onBase(app, from, to);
      const result = readImageFrom(rebased.tree);
      expect(applyLayers(result.layers)).toEqual(wanted);
      expect(result.config.rootfs.diff_ids).toEqual([...to.diffIds, ...app.diffIds.slice(cut)]);
      const blobs = result.manifest.layers.map(({ digest }) => digest);
      expect(blobs.slice(to.layers.length)).toEqual(app.layers.slice(cut).map(({ digest }) => digest));
      expect(result.manifest.annotations).toMatchObject(notes(to));
      expect(above.length).toBe(blobs.length - to.layers.length);
      // Nothing is unpacked or packed.
      expect(rebased.target.count('stage')).toBe(0);
      const back = await onBase(rebased.tree, to, from);
      const again = readImageFrom(back.tree);
      expect(again.config.rootfs).toEqual(readImageFrom(app).config.rootfs);
      expect(again.manifest.layers.map(({ digest }) => digest)).toEqual(
        app.layers.map(({ digest }) => digest),
      );
      if (rows === 'full') expect(again.config.history).toEqual(readImageFrom(app).config.history);
    }),
    { numRuns: lawRuns({ usual: 60 }) },
  );
});

test('law 15: on its own base an image keeps its digest; without changes in the config it has it again on the way back', async () => {
  await fc.assert(
    fc.asyncProperty(recipe, async ({ layers, other, cut, history: rows, configs: [shared], family }) => {
      // An image has the rows of its base, and then its own.
      const withRows = (...parts: readonly (readonly [number, string])[]) =>
        rows === 'none'
          ? shared
          : { ...shared, history: parts.flatMap(([count, who]) => rowsFor(count, who)) };
      const ofBase = [cut, 'base'] as const;
      const from = buildImage({
        layers: layers.slice(0, cut),
        config: withRows(ofBase),
        history: rows,
        family,
      });
      const config = withRows(ofBase, [layers.length - cut, 'app']);
      const app = buildImage({ layers, config, history: rows, annotations: notes(from), family });
      expect(digestOf(await onBase(app, from, from))).toBe(app.descriptor.digest);
      const to = buildImage({
        layers: other,
        config: withRows([other.length, 'new']),
        history: rows,
        family,
      });
      const there = await onBase(app, from, to);
      expect(digestOf(await onBase(there.tree, to, from))).toBe(app.descriptor.digest);
    }),
    { numRuns: lawRuns({ usual: 40 }) },
  );
});
