import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recompress } from '../../src/compress/recompress.ts';
import { repackBetter } from '../../src/compress/repack.ts';
import { tune } from '../../src/compress/tune.ts';
import { digestsOf, imageIn, rewrite } from '../jobs/rig.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { buildImage, MEDIA_TYPES } from '../support/image-builder.ts';
import { lawRuns } from './rig.ts';
import { encoding, selectionOf, span, tuning } from './stages.ts';
import { layersIn } from '../support/made-layers.ts';

const compressions = fc.array(fc.constantFrom('gzip' as const, 'none' as const, 'zstd' as const), {
  minLength: 5,
  maxLength: 5,
});
/** Returns the format of a layer that no option gives a format: its own, or gzip for a plain layer. */
const ownFormat = (packed: 'gzip' | 'none' | 'zstd' | undefined) =>
  packed === undefined || packed === 'none' ? 'gzip' : packed;
const stacks = layerStack({ minLayers: 1, maxLayers: 5, maxIntents: 6 });

test('law 4: recompress leaves every DiffID and every unpacked byte as it was', async () => {
  await fc.assert(
    fc.asyncProperty(stacks, compressions, encoding, async (stack, packed, wish) => {
      const tars = stack.layers.map((layer) => layer.tar);
      const built = buildImage({ layers: tars, compress: packed.slice(0, tars.length) });
      const { tree, outcome } = await rewrite(built, [recompress({ kind: 'all' }, wish)]);
      const image = imageIn(tree);
      expect(image.tars).toEqual(tars);
      expect(image.config).toEqual(JSON.parse(new TextDecoder().decode(built.config)));
      image.manifest.layers.forEach(({ mediaType, digest, size }, i) => {
        const before = built.layers[i];
        const sameFormat = packed[i] === wish.kind;
        if (!sameFormat || digest !== before?.digest)
          expect(mediaType.endsWith(wish.kind === 'none' ? '.tar' : `+${wish.kind}`)).toBe(true);
        // In its own format a layer gets smaller or stays.
        if (sameFormat && digest !== before?.digest) expect(size).toBeLessThan(before?.size ?? 0);
      });
      expect(layersIn(outcome).every(({ diffId }, i) => diffId === built.diffIds[i])).toBe(true);
    }),
    { numRuns: lawRuns({ usual: 60 }) },
  );
});

test('law 4: packing better leaves contents and packed formats alone, makes plain layers gzip, and no packed layer grows', async () => {
  await fc.assert(
    fc.asyncProperty(stacks, compressions, async (stack, packed) => {
      const tars = stack.layers.map((layer) => layer.tar);
      const built = buildImage({ layers: tars, compress: packed.slice(0, tars.length) });
      const image = imageIn((await rewrite(built, [repackBetter({ kind: 'all' })])).tree);
      expect(image.tars).toEqual(tars);
      expect(image.manifest.layers.map(({ mediaType }) => mediaType)).toEqual(
        tars.map((_, i) => MEDIA_TYPES.oci.layer[ownFormat(packed[i])]),
      );
      image.manifest.layers.forEach(({ size }, i) => {
        if (packed[i] !== 'none') expect(size).toBeLessThanOrEqual(built.layers[i]?.size ?? 0);
      });
    }),
    { numRuns: lawRuns({ usual: 60, share: 1 / 2 }) },
  );
});

test('law 4: tuning leaves contents alone, changes the format only where it may, and has no layer grow in its own', async () => {
  await fc.assert(
    fc.asyncProperty(stacks, compressions, tuning, async (stack, packed, options) => {
      const tars = stack.layers.map((layer) => layer.tar);
      const built = buildImage({ layers: tars, compress: packed.slice(0, tars.length) });
      const image = imageIn((await rewrite(built, [tune({ kind: 'all' }, options)])).tree);
      expect(image.tars).toEqual(tars);
      image.manifest.layers.forEach(({ mediaType, size, digest }, i) => {
        const before = built.layers[i];
        if (digest === before?.digest) return;
        const wanted = options.format ?? (options.goal.kind === 'pull' ? null : ownFormat(packed[i]));
        expect(mediaType).toMatch(wanted === null ? /\+(?:gzip|zstd)$/ : new RegExp(`\\+${wanted}$`));
        if (mediaType === before?.mediaType) expect(size).toBeLessThan(before?.size ?? 0);
      });
    }),
    { numRuns: lawRuns({ usual: 60, share: 1 / 2 }) },
  );
});

test('law 9: layers outside the selection of a recompress keep their digests and are not opened', async () => {
  await fc.assert(
    fc.asyncProperty(stacks, span, encoding, async (stack, range, wish) => {
      const tars = stack.layers.map((layer) => layer.tar);
      const built = buildImage({ layers: tars });
      const selection = selectionOf(range, tars.length);
      if (selection.kind !== 'range') throw new Error('not a range');
      const { source, tree, target } = await rewrite(built, [recompress(selection, wish)]);
      const inside = new Set(
        built.layers.slice(selection.from - 1, selection.to).map(({ digest }) => digest),
      );
      digestsOf(tree).forEach((digest, i) => {
        if (i + 1 < selection.from || i + 1 > selection.to) expect(digest).toBe(built.layers[i]?.digest);
      });
      for (const { digest } of built.layers) {
        if (!inside.has(digest)) expect(source.countOf(digest)).toBe(0);
        // One pass, also where two layers are one blob.
        else expect(source.countOf(digest)).toBe(1);
      }
      expect(target.acts.filter((act) => act.act === 'adopt' && act.how === 'copied')).toEqual([]);
    }),
    { numRuns: lawRuns({ usual: 60 }) },
  );
});
