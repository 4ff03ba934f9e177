import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identity } from '../../src/jobs/rewrite/run.ts';
import { rewrite } from '../jobs/rig.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import {
  buildImage,
  buildIndex,
  digestOf,
  type ImagePlatform,
  type ImageRecipe,
  readImageFrom,
} from '../support/image-builder.ts';
import { lawRuns } from './rig.ts';

const recipe = fc.record({
  stack: layerStack({ minLayers: 0, maxLayers: 5, maxIntents: 4 }),
  family: fc.constantFrom('oci', 'docker'),
  history: fc.constantFrom('full', 'none', 'with-empty-layers'),
  compress: fc.constantFrom('gzip', 'none', 'zstd'),
});

function recipeOf({
  stack,
  family,
  history,
  compress,
}: { stack: { layers: readonly { tar: Uint8Array }[] } } & Pick<
  Required<ImageRecipe>,
  'family' | 'history'
> & { compress: 'gzip' | 'none' | 'zstd' }): ImageRecipe {
  return {
    layers: stack.layers.map(({ tar }) => tar),
    family,
    history,
    compress: family === 'docker' && compress === 'zstd' ? 'gzip' : compress,
  };
}

test('law 5: without a transform an image keeps its digest, and not one layer is opened where blobs can be mounted', async () => {
  await fc.assert(
    fc.asyncProperty(recipe, async (chosen) => {
      const image = buildImage(recipeOf(chosen));
      const { outcome, source, target } = await rewrite(image, [identity]);
      expect(outcome.root?.descriptor.digest).toBe(image.descriptor.digest);
      expect(source.opened.filter((digest) => image.layers.some((layer) => layer.digest === digest))).toEqual(
        [],
      );
      expect(target.count('stage')).toBe(0);
      expect(outcome.downloaded).toBe(0);
    }),
    { numRuns: lawRuns() },
  );
});

test('law 5: at another registry each layer is read once and copied as it is', async () => {
  await fc.assert(
    fc.asyncProperty(recipe, async (chosen) => {
      const image = buildImage(recipeOf(chosen));
      const { outcome, source, target } = await rewrite(image, [identity], {
        target: { mountable: { registry: 'https://other.test', repository: 'app' } },
      });
      expect(outcome.root?.descriptor.digest).toBe(image.descriptor.digest);
      for (const { digest } of image.layers) expect(source.countOf(digest)).toBe(1);
      expect(target.count('stage')).toBe(0);
    }),
    { numRuns: lawRuns({ share: 1 / 4 }) },
  );
});

test('law 5: an index with attestations keeps its digest', async () => {
  const platforms: ImagePlatform[] = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm', variant: 'v7' },
    { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1' },
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.array(recipe, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (chosen, attestations) => {
        const images = chosen.map((each, i) =>
          buildImage({ ...recipeOf({ ...each, family: 'oci' }), platform: platforms[i] as ImagePlatform }),
        );
        const index = buildIndex({ images, attestations, annotations: { 'org.example.made': 'by hand' } });
        const { outcome, source, warnings } = await rewrite(index, [identity]);
        expect(outcome.root?.descriptor.digest).toBe(index.descriptor.digest);
        const layers = new Set(images.flatMap((image) => image.layers.map(({ digest }) => digest)));
        expect(source.opened.filter((digest) => layers.has(digest))).toEqual([]);
        expect(warnings).toEqual([]);
      },
    ),
    { numRuns: lawRuns({ share: 1 / 4 }) },
  );
});

test('law 5, an exception: plain layers of a source that has unpacked them arrive packed, with the same DiffIDs and config', async () => {
  await fc.assert(
    fc.asyncProperty(recipe, async (chosen) => {
      const image = buildImage(recipeOf(chosen));
      const { outcome, tree } = await rewrite(image, [identity], { source: { unpacksLayers: true } });
      const [before, after] = [image, tree].map((each) => readImageFrom(each));
      expect(after?.manifest.layers.every(({ mediaType }) => /gzip$|zstd$/.test(mediaType))).toBe(true);
      expect(after?.manifest.config).toEqual(before?.manifest.config);
      expect(after?.tars.map(digestOf)).toEqual(image.diffIds);
      const isKept = !image.layers.some(({ mediaType }) => mediaType.endsWith('tar'));
      expect(outcome.root?.descriptor.digest === image.descriptor.digest).toBe(isKept);
    }),
    { numRuns: lawRuns({ share: 1 / 4 }) },
  );
});
