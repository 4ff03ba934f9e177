/**
 * Opens a layer writer between a source and a target in memory, as a run does before its first layer. The tests of
 * test/layers/write call it.
 */
import type { ProgressEvent } from '../../src/events.ts';
import { Scratch } from '../../src/files/scratch.ts';
import type { Image, Transform } from '../../src/image/image.ts';
import { imageMembers, readImageSet } from '../../src/jobs/image-set.ts';
import { SpoolRoom } from '../../src/layers/edit/spool.ts';
import { LayerReader } from '../../src/layers/read/layer-reader.ts';
import { LayerWriter } from '../../src/layers/write/layer-writer.ts';
import type { SealedLayer } from '../../src/layers/write/sealed-layer.ts';
import { type Resolution, resolve } from '../../src/slim/resolve/resolve.ts';
import { layersToScan } from '../../src/slim/resolve/untouched.ts';
import type { BlobCache } from '../../src/store/cache/blob-cache.ts';
import type { BuiltTree } from './image-builder.ts';
import {
  MemorySource,
  type MemorySourceOptions,
  MemoryTarget,
  type MemoryTargetOptions,
} from './memory-store.ts';
import { never } from './registry/setup.ts';
import { poolOf } from './run-image.ts';

export interface LayerWritingOptions {
  readonly source?: MemorySourceOptions;
  readonly target?: MemoryTargetOptions;
  readonly cache?: BlobCache | null;
  readonly signal?: AbortSignal;
  /** Bytes of memory for spools. Default: that of a run. */
  readonly memory?: number;
}

/** A layer writer between a source and a target in memory, with the first image of the source. */
export interface LayerWriting {
  readonly image: Image;
  readonly writer: LayerWriter;
  readonly source: MemorySource;
  readonly target: MemoryTarget;
  readonly events: readonly ProgressEvent[];
  /** Writes all layers that the transform leaves of an image, the writer's own by default, one after the other. */
  readonly write: (transform: Transform, image?: Image) => Promise<SealedLayer[]>;
  /** Writes the layers that the image is relayered as, all at once. */
  readonly writeParts: (transform: Transform) => Promise<readonly SealedLayer[]>;
}

/** Sets up a layer writer as a run does. */
export async function layerWriting(
  tree: BuiltTree,
  options: LayerWritingOptions = {},
): Promise<LayerWriting> {
  const source = new MemorySource(tree, options.source);
  const target = new MemoryTarget(options.target);
  const events: ProgressEvent[] = [];
  const listener = (event: ProgressEvent): void => void events.push(event);
  const signal = options.signal ?? never;
  const cache = options.cache ?? null;
  const reader = new LayerReader({ source, scratch: new Scratch(0), listener, cache });
  const room = new SpoolRoom(null, options.memory);
  const writer = new LayerWriter({ source, target, reader, pool: poolOf(2), listener, cache, room });
  const own = imageMembers(await readImageSet(source, { platforms: [], signal: never }))[0]?.image;
  if (own === undefined) throw new Error('the source has no image');
  const write = async (transform: Transform, image = own): Promise<SealedLayer[]> => {
    const planned = transform(image);
    const sealed: SealedLayer[] = [];
    for (const { layer, content } of await resolved(planned, reader))
      sealed.push(await writer.write(planned, layer, content, signal));
    return sealed;
  };
  const writeParts = async (transform: Transform): Promise<readonly SealedLayer[]> => {
    const planned = transform(own);
    const [layer] = planned.plan.layers;
    const parts = (await resolveWith(planned, reader)).contents.flatMap((content) =>
      content.kind === 'edited' && layer !== undefined ? [{ layer, content }] : [],
    );
    return writer.writeParts(planned, parts, signal);
  };
  return { image: own, writer, source, target, events, write, writeParts };
}

/** Reads the headers that a plan needs, and resolves it. */
async function resolveWith(image: Image, reader: LayerReader): Promise<Resolution> {
  const indexes = new Map(
    await Promise.all(
      layersToScan(image).map(async (number) => [number, await reader.index(image, number, never)] as const),
    ),
  );
  const result = resolve(image, indexes, () => 0);
  if (result.kind !== 'resolved') throw new Error('further layers are needed');
  return result.resolution;
}

/** Pairs the layers of a plan with what each will hold. */
async function resolved(image: Image, reader: LayerReader) {
  const { contents } = await resolveWith(image, reader);
  return image.plan.layers.map((layer, i) => {
    const content = contents[i];
    if (content === undefined) throw new Error(`layer ${i + 1} was not resolved`);
    return { layer, content };
  });
}
