/**
 * Writes the layers of all images of a run to the target, several at a time. `publishImages` calls it, once all encodings are decided.
 */
import { encodingOf, type Layer } from '../../image/image.ts';
import { type EditedContent, packedBytes, sourcesOf } from '../../layers/write/content-sources.ts';
import type { LayerWriter } from '../../layers/write/layer-writer.ts';
import type { SealedLayer } from '../../layers/write/sealed-layer.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { largestFirst } from './largest-first.ts';
import type { DecidedImage, DecidedLayer, WrittenImage, WrittenLayer } from './records.ts';

/** The number of unchanged blobs handled at once: these wait for the network, not for a processor. */
export const adoptions = 6;

/** A layer to write. */
interface Item {
  readonly image: DecidedImage;
  readonly layer: DecidedLayer;
}

/**
 * Writes the layers of all images. Layers that need processors (`jobs` at once) and layers that need only the network go on
 * beside each other.
 */
export async function writeLayers(
  writer: LayerWriter,
  images: readonly DecidedImage[],
  { jobs, signal }: { readonly jobs: number; readonly signal: AbortSignal },
): Promise<WrittenImage[]> {
  const items = images.flatMap((image) => image.layers.map((layer): Item => ({ image, layer })));
  const written = new Map<DecidedLayer, WrittenLayer>();
  const write = async ({ image: { image }, layer }: Item, _: number, inner: AbortSignal): Promise<void> => {
    const sealed = await writer.write(image, layer.layer, layer.content, inner);
    written.set(layer, { ...layer, sealed });
  };
  const writeSplit = async (split: SplitLayers, _: number, inner: AbortSignal): Promise<void> => {
    const sealed = await writer.writeParts(split.image.image, split.layers, inner);
    split.layers.forEach((layer, i) => written.set(layer, { ...layer, sealed: sealed[i] as SealedLayer }));
  };
  const {
    light = [],
    heavy = [],
    parts = [],
  } = Object.groupBy(items, ({ layer }) => (isLight(layer) ? 'light' : isPart(layer) ? 'parts' : 'heavy'));
  const lanes = [
    (inner: AbortSignal) => mapParallel(light, adoptions, inner, write),
    (inner: AbortSignal) => mapParallel(largestFirst(heavy, bytesOf), jobs, inner, write),
    // One after the other: each of them takes all processors.
    (inner: AbortSignal) => mapParallel(splitsOf(parts), 1, inner, writeSplit),
  ];
  await mapParallel(lanes, lanes.length, signal, (lane, _, inner) => lane(inner));
  return images.map((image) => ({
    ...image,
    layers: image.layers.map((layer) => written.get(layer) as WrittenLayer),
  }));
}

/** A layer that is one of several made of the same source layers. */
type PartLayer = DecidedLayer & { readonly content: EditedContent };

/** The layers of one image that are written in one reading of their sources. */
interface SplitLayers {
  readonly image: DecidedImage;
  readonly layers: readonly PartLayer[];
}

function isPart({ content }: DecidedLayer): boolean {
  // Data in another order is spooled layer by layer.
  return content.kind === 'edited' && content.part !== undefined && content.edit.order === null;
}

/** Puts the layers together that are parts of one layer of the plan. */
function splitsOf(items: readonly Item[]): readonly SplitLayers[] {
  const splits = new Map<Layer, { image: DecidedImage; layers: PartLayer[] }>();
  for (const { image, layer } of items) {
    const split = splits.get(layer.layer) ?? { image, layers: [] };
    split.layers.push(layer as PartLayer);
    splits.set(layer.layer, split);
  }
  return [...splits.values()];
}

function isLight({ layer, content }: DecidedLayer): boolean {
  return content.kind === 'stored' && encodingOf(layer).kind === 'keep';
}

function bytesOf({ image: { image }, layer: { content } }: Item): number {
  return packedBytes(image, sourcesOf(content));
}
