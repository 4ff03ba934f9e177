/**
 * Estimates the sizes of the layers that a dry run would write. `run` loads it for dry runs only, when all encodings are decided.
 */
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import type { BlockSource } from '../../codec/block.ts';
import { type BlockEncoding, engineOf, isPacked } from '../../codec/encoding.ts';
import { type Ladder, ladderOf } from '../../compress/effort.ts';
import { type Listener, task } from '../../events.ts';
import { type Image, layerOf, numbersIn, type Repacking } from '../../image/image.ts';
import type { LayerReader } from '../../layers/read/layer-reader.ts';
import { labelOf, packedBytes, sourcesOf } from '../../layers/write/content-sources.ts';
import { chooseEncoding, savesEnough } from '../../layers/write/encoding-choice.ts';
import { packerOf, recipeOf } from '../../layers/write/recipe.ts';
import { layerKind } from '../../oci/media-type.ts';
import type { Target } from '../../place/place.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { Slots } from '../../stream/slots.ts';
import { MiB } from '../../units.ts';
import { openTar } from './open-tar.ts';
import type { DecidedImage, DecidedLayer } from './records.ts';
import { pieceSize, sampleLayer } from './sample-layer.ts';

export interface EstimateContext {
  /** The layers that the place would take. */
  readonly layerFormat: Target['layerFormat'];
  readonly reader: LayerReader;
  readonly pool: EncoderPool;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** The size of a blob, in bytes, that may be wrong. */
interface SizeEstimate {
  readonly size: number;
  /** Bytes by which the size may be off, up or down. 0 where it is exact. */
  readonly error: number;
  readonly tarBytes: number;
}

/** What a layer of a dry run will probably be. */
export interface LayerEstimate extends SizeEstimate {
  /** Whether the blob of the source probably stays, since the new packing saves too little. Its size is exact then. */
  readonly stays: boolean;
}

/** Layers that are read at once, however many jobs there are. */
const maxLayers = 4;
/** How far sizes may be off, as a share, measured on layers of real images: where the level was tried on samples only, */
const sampledError = 0.02;
/** and where encoders see less at once than they will, since their blocks are longer than what is tried, */
const cutError = 0.03;
/** or the same. */
const wholeError = 0.005;

/** What bounds the trials of all layers together. */
interface Trying {
  readonly slots: Slots;
}

/** A layer to estimate, and all layers of the run that become the same. */
interface Item {
  readonly image: Image;
  readonly layer: DecidedLayer;
  readonly encoding: Repacking;
  readonly same: DecidedLayer[];
}

/**
 * Estimates the layers that would be written: for each, the size of its blob. Layers that stay as they are, and those that
 * would be dropped, are not in the result. @throws what reading and encoding layers throw
 */
export async function estimateLayers(
  images: readonly DecidedImage[],
  context: EstimateContext,
): Promise<ReadonlyMap<DecidedLayer, LayerEstimate>> {
  const estimates = new Map<DecidedLayer, LayerEstimate>();
  const slots = new Slots(context.pool.jobs);
  await mapParallel(itemsOf(images, context), maxLayers, context.signal, async (item, _, signal) => {
    const estimate = judge(item, await estimateItem(item, { ...context, slots, signal }));
    for (const layer of item.same) estimates.set(layer, estimate);
  });
  for (const image of images) estimateParts(image, context, estimates);
  return estimates;
}

/** How far off the size of one of many layers of one range may be: what is in it packs better or worse than the rest. */
const partError = 0.3;

/** Estimates the layers that a range is laid out as, by how their sources are packed: trying each would read all sources for each. */
function estimateParts(
  { image, indexes, layers }: DecidedImage,
  place: Pick<EstimateContext, 'layerFormat'>,
  estimates: Map<DecidedLayer, LayerEstimate>,
): void {
  for (const layer of layers) {
    const { content } = layer;
    if (content.kind !== 'edited' || content.part === undefined) continue;
    const encoding = encodingIn(place, image, layer);
    const { tarBytes } = content.edit;
    const sources = numbersIn(content.range);
    const unpacked = sources.reduce((sum, number) => sum + (indexes.get(number)?.tarBytes ?? 0), 0);
    const share = Math.min(1, packedBytes(image, sources) / Math.max(unpacked, 1));
    const isPlain = encoding === null || encoding.kind === 'none';
    const size = isPlain ? tarBytes : Math.round(tarBytes * share);
    const error = isPlain ? 0 : Math.round(size * partError);
    estimates.set(layer, { size, error, tarBytes, stays: false });
  }
}

/** Lists what would be written, each tar and packing once. */
function itemsOf(
  images: readonly DecidedImage[],
  place: Pick<EstimateContext, 'layerFormat'>,
): readonly Item[] {
  const items = new Map<string, Item>();
  for (const { image, layers } of images) {
    for (const layer of layers) {
      const encoding = encodingIn(place, image, layer);
      const isPart = layer.content.kind === 'edited' && layer.content.part !== undefined;
      if (encoding === null || isPart) continue;
      const key = `${recipeOf(image, layer.content)} ${packerOf(encoding)} ${JSON.stringify(encoding.minSavings)}`;
      const known = items.get(key);
      if (known === undefined) items.set(key, { image, layer, encoding, same: [layer] });
      else known.same.push(layer);
    }
  }
  return [...items.values()];
}

/** Returns how a layer would be packed; null for one that keeps its blob or would be dropped. */
function encodingIn(
  place: Pick<EstimateContext, 'layerFormat'>,
  image: Image,
  { layer, content }: DecidedLayer,
): Repacking | null {
  const encoding = chooseEncoding(place, image, layer, content);
  if (content.kind === 'added')
    return encoding.kind === 'keep' ? { kind: 'none', minSavings: null } : encoding;
  if (content.kind !== 'stored') {
    if (content.isEmpty && (content.kind === 'restored' || image.plan.dropEmpty)) return null;
    return encoding.kind === 'keep' ? { kind: 'none', minSavings: null } : encoding;
  }
  if (encoding.kind === 'keep') return null;
  const kind = layerKind(layerOf(image, content.layer).descriptor.mediaType);
  if (kind.kind !== 'layer' || (encoding.kind === 'none' && kind.compression === 'none')) return null;
  return encoding;
}

async function estimateItem(
  { image, layer, encoding }: Item,
  context: EstimateContext & Trying,
): Promise<SizeEstimate> {
  const { content, tuning } = layer;
  // A place for plain layers takes nothing of what was tuned.
  if (tuning !== null && isPacked(encoding)) {
    const { size } = tuning.chosen;
    return { size, error: Math.round(size * sampledError), tarBytes: tuning.tarBytes };
  }
  const { listener, reader, signal } = context;
  const label = labelOf(content);
  const total = packedBytes(image, sourcesOf(content));
  using estimating = task(listener, { id: `estimate ${label}`, phase: 'scan', label, total });
  const tar = openTar(image, content, { reader, signal, onBytes: estimating.advance });
  const estimate = isPacked(encoding) ? await trySizes(tar, encoding, context) : await countBytes(tar);
  estimating.end('estimated');
  return estimate;
}

/**
 * Packs a tar at the level that is quickest to try, and parts of it at the level wanted. Where that is as quick, all is packed
 * at it. @throws CODEC, and the errors of the source
 */
async function trySizes(
  tar: BlockSource,
  encoding: BlockEncoding,
  { pool, slots, signal }: EstimateContext & Trying,
): Promise<SizeEstimate> {
  const engines = 'engine' in encoding ? { [encoding.kind]: encoding.engine } : {};
  const [quickest] = ladderOf(encoding.kind, engines, null);
  const isQuick = encoding.level <= quickest.level;
  const ladder: Ladder = isQuick ? [encoding] : [quickest, encoding];
  const sample = await sampleLayer(tar, { ladders: [ladder], allowance: null, pool, slots, signal });
  const { size } = sample.options.at(-1) ?? { size: 0 };
  const isCut = engineOf(encoding).blocks.size(encoding.level) > pieceSize;
  const share = (isQuick ? 0 : sampledError) + (isCut ? cutError : wholeError);
  return { size, error: Math.round(size * share), tarBytes: sample.tarBytes };
}

/** Reads a tar to its end, and returns its length as its size. @throws the errors of the source */
async function countBytes(tar: BlockSource): Promise<SizeEstimate> {
  const memory = new SharedArrayBuffer(MiB);
  let tarBytes = 0;
  try {
    for (let last = false; !last; ) {
      const block = await tar.next(memory);
      last = block.last;
      tarBytes += block.bytes.length;
    }
    return { size: tarBytes, error: 0, tarBytes };
  } finally {
    await tar.close();
  }
}

/** Applies the threshold of a layer that is only packed again: its blob stays where the new one saves too little. */
function judge({ image, layer, encoding }: Item, estimate: SizeEstimate): LayerEstimate {
  const { content } = layer;
  if (content.kind !== 'stored') return { ...estimate, stays: false };
  const { descriptor } = layerOf(image, content.layer);
  const kind = layerKind(descriptor.mediaType);
  const isSameFormat = kind.kind === 'layer' && kind.compression === encoding.kind;
  const { minSavings } = encoding;
  const comparison = { before: descriptor.size, after: estimate.size, minSavings, isSameFormat };
  return savesEnough(comparison)
    ? { ...estimate, stays: false }
    : { ...estimate, size: descriptor.size, error: 0, stays: true };
}
