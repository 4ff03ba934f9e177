/**
 * Builds ocislim's own image: `npm run release:image -- --out DIR [--cache DIR] [--quick]`. It makes the layout DIR/ocislim-image, in which the
 * tags VERSION and VERSION-debug are images for linux/amd64 and linux/arm64, and the archive DIR/ocislim-VERSION-image.tar of both.
 * Debian's apt-get is needed, docker is not. With SOURCE_DATE_EPOCH, the same packages give the same digests.
 * `--quick` packs quickly instead of small, for tests.
 */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { copy } from '../../src/commands/index.ts';
import { readManifest, repositoryOf, root } from '../release/manifest.ts';
import { sourceDate } from '../release/source-date.ts';
import type { Architecture } from './debian.ts';
import { type ImageRecipe, type LayerRecipe, writeImage } from './image-writer.ts';
import { baseLayer, environment, programLayer, runtimeLayer, shellLayer, user } from './layers.ts';

const manifest = readManifest();
const { version } = manifest;
const architectures = ['amd64', 'arm64'] as const;

/** The layers of one architecture, lowest first: the debug image has all, the other one all but the last. */
type Layers = Readonly<Record<Architecture, readonly LayerRecipe[]>>;

async function makeLayers(cache: string): Promise<Layers> {
  const base = await baseLayer(cache);
  const [amd64, arm64] = await Promise.all(
    architectures.map(async (architecture) => [
      base,
      await runtimeLayer(architecture, cache),
      await programLayer(architecture),
      await shellLayer(architecture, cache),
    ]),
  );
  return { amd64: amd64 ?? [], arm64: arm64 ?? [] };
}

/** Returns the annotations of an image, which are its labels too (image-spec annotations.md). */
function annotationsOf(tag: string, time: number): Readonly<Record<string, string>> {
  const source = repositoryOf(manifest);
  const named = {
    created: new Date(time * 1000).toISOString().replace('.000Z', 'Z'),
    description: manifest.description,
    licenses: manifest.license,
    ...(source === null ? {} : { documentation: `${source}#readme`, source, url: source }),
    title: manifest.name,
    version: tag,
  };
  return Object.fromEntries(
    Object.entries(named).map(([key, value]) => [`org.opencontainers.image.${key}`, value]),
  );
}

/** Returns the recipe of an image: of the debug image with all layers, of the other one without the last. */
function recipeOf(layers: Layers, isDebug: boolean, annotations: ImageRecipe['annotations']): ImageRecipe {
  const path = isDebug ? '/usr/bin:/busybox' : '/usr/bin';
  return {
    images: architectures.map((architecture) => ({
      platform: { architecture, os: 'linux', ...(architecture === 'arm64' ? { variant: 'v8' } : {}) },
      layers: isDebug ? layers[architecture] : layers[architecture].slice(0, -1),
    })),
    run: {
      user: `${user}:${user}`,
      env: [`PATH=${path}`, ...environment],
      entrypoint: '["/usr/bin/ocislim"]',
      workdir: '/work',
    },
    annotations,
  };
}

async function makeImages(out: string, cache: string, level: number): Promise<void> {
  const layout = join(out, 'ocislim-image');
  const archive = join(out, `ocislim-${version}-image.tar`);
  await rm(layout, { recursive: true, force: true });
  await rm(archive, { force: true });
  const layers = await makeLayers(cache);
  const time = sourceDate();
  for (const tag of [version, `${version}-debug`]) {
    const recipe = recipeOf(layers, tag !== version, annotationsOf(tag, time));
    const destination = `oci:${layout}:${tag}`;
    const digest = await writeImage(recipe, { destination, time, level });
    await copy(destination, `oci-archive:${archive}:${tag}`);
    process.stdout.write(`${destination}@${digest}\n`);
  }
}

const { values } = parseArgs({
  options: { out: { type: 'string' }, cache: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
if (values.out === undefined) {
  process.stderr.write('release:image takes --out DIR\n');
  process.exit(2);
}
const usualCache = join(root, 'node_modules/.cache/ocislim-image');
// Layers are made once and pulled often: as small as gzip can.
await makeImages(resolve(values.out), resolve(values.cache ?? usualCache), values.quick ? 1 : 12);
