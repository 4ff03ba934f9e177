/**
 * Writes images that are made of files, by `ocislim build`: each layer becomes a tar beside the others, and one build puts them
 * together for all platforms. It knows nothing of what is in the image.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { build } from '../../src/commands/index.ts';
import { formatPlatform, type Platform } from '../../src/oci/platform.ts';
import { CommandLine } from '../../src/settings/command-line.ts';
import { buildOptions } from '../../src/settings/tables/commands.ts';
import { writeTar } from '../../src/tar/writer.ts';
import { entriesOf, type ImageFile } from './image-file.ts';

/** A layer to make. The same object in several images is made once. */
export interface LayerRecipe {
  /** What it holds, in a few words. */
  readonly what: string;
  /** The time of all files: seconds since 1970. Default: that of the making. */
  readonly time?: number;
  readonly files: readonly ImageFile[];
}

/** The image of one platform. */
export interface PlatformRecipe {
  readonly platform: Platform;
  /** The layers, lowest first. */
  readonly layers: readonly LayerRecipe[];
}

/** The images of all platforms. */
export interface ImageRecipe {
  /** The first layers of all may be the same. */
  readonly images: readonly PlatformRecipe[];
  /** How containers are run, in the words of the command line: `{ entrypoint: '["/a"]' }`. */
  readonly run: Readonly<Record<string, string | readonly string[]>>;
  /** Annotations of the index and of the manifests, which are labels of the configs too. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Where an image goes, and how it is made. */
export interface Making {
  /** A reference. */
  readonly destination: string;
  /** The time of the images: seconds since 1970. */
  readonly time: number;
  /** The level of gzip, which every client reads. */
  readonly level: number;
}

/** Writes an index of images. Returns its digest. */
export async function writeImage(recipe: ImageRecipe, making: Making): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ocislim-image-'));
  try {
    const layers = new Set(recipe.images.flatMap((image) => image.layers));
    const texts = new Map<LayerRecipe, string>();
    for (const layer of layers) {
      const file = join(folder, `${texts.size}.tar`);
      const tar = writeTar(entriesOf(layer.files, layer.time ?? making.time));
      await pipeline(Readable.from(tar), createWriteStream(file));
      texts.set(layer, `${file},created-by=ocislim: ${layer.what}`);
    }
    return await buildOf(recipe, texts, making);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Builds an image of layers, each given as the command line has it. */
async function buildOf(
  { images, run, annotations }: ImageRecipe,
  texts: ReadonlyMap<LayerRecipe, string>,
  { destination, time, level }: Making,
): Promise<string> {
  const [first, ...others] = images;
  if (first === undefined) throw new Error('an image has at least one platform');
  const differs = first.layers.findIndex((layer, i) => others.some(({ layers }) => layers[i] !== layer));
  const shared = differs < 0 ? first.layers.length : differs;
  const textOf = (layer: LayerRecipe) => texts.get(layer) ?? '';
  const pairs = Object.entries(annotations).map(([key, value]) => `${key}=${value}`);
  const line = new CommandLine({
    ...run,
    layer: first.layers.slice(0, shared).map(textOf),
    platform: images.flatMap(({ platform, layers }) => {
      const name = formatPlatform(platform);
      const own = layers.slice(shared).map((layer) => `${name}=${textOf(layer)}`);
      return own.length === 0 ? [name] : own;
    }),
    annotation: pairs,
    label: pairs,
    compression: 'gzip',
    level,
  });
  const { signal } = new AbortController();
  const { settings } = await line.parse(buildOptions, { env: { SOURCE_DATE_EPOCH: String(time) }, signal });
  const { root } = await build(null, destination, settings, { signal });
  if (root === null) throw new Error('the build has published nothing');
  return root.digest;
}
