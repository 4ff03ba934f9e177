import { encodingOf } from '../../image/image.ts';
import { packedBytes, sourcesOf } from '../../layers/write/content-sources.ts';
import type { LayerWriter } from '../../layers/write/layer-writer.ts';
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
  const { light = [], heavy = [] } = Object.groupBy(items, ({ layer }) =>
    isLight(layer) ? 'light' : 'heavy',
  );
  const lanes = [
    { items: light, limit: adoptions },
    { items: largestFirst(heavy, bytesOf), limit: jobs },
  ];
  await mapParallel(lanes, lanes.length, signal, (lane, _, inner) =>
    mapParallel(lane.items, lane.limit, inner, write),
  );
  return images.map((image) => ({
    ...image,
    layers: image.layers.map((layer) => written.get(layer) as WrittenLayer),
  }));
}

function isLight({ layer, content }: DecidedLayer): boolean {
  return content.kind === 'stored' && encodingOf(layer).kind === 'keep';
}

function bytesOf({ image: { image }, layer: { content } }: Item): number {
  return packedBytes(image, sourcesOf(content));
}
