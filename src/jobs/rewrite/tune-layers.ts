/**
 * Decides encodings that were left to tuning (`--tune`, `--budget`): tries levels on samples of the layers. `run` loads it only
 * where a plan asks for it.
 */
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import { packedFormats } from '../../codec/encoding.ts';
import { ladderOf } from '../../compress/effort.ts';
import { allocate, chooseOption, type PackingOption } from '../../compress/policy.ts';
import { type Listener, task } from '../../events.ts';
import {
  type Encoding,
  encodingOf,
  type Image,
  type Layer,
  layerOf,
  type Tuned,
  type TuningGoal,
  withPlan,
} from '../../image/image.ts';
import type { LayerReader } from '../../layers/read/layer-reader.ts';
import { labelOf, packedBytes, sourcesOf } from '../../layers/write/content-sources.ts';
import { packerOf, recipeOf } from '../../layers/write/recipe.ts';
import { layerKind } from '../../oci/media-type.ts';
import type { ResolvedContent } from '../../slim/resolve/resolve.ts';
import type { BlobCache } from '../../store/cache/blob-cache.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { Slots } from '../../stream/slots.ts';
import type { DecidedImage, DecidedLayer, ResolvedImage, ResolvedLayer } from './records.ts';
import { openTar } from './open-tar.ts';
import { type LayerSample, sampleLayer } from './sample-layer.ts';
import { recallTrials, rememberTrials } from './stored-trials.ts';

/** What was decided about a layer, and on what grounds. */
export interface LayerTuning {
  readonly goal: TuningGoal;
  readonly tarBytes: number;
  /** Bytes that were packed at every level tried. */
  readonly sampledBytes: number;
  readonly chosen: PackingOption;
  /** All options that there were, the chosen one included. */
  readonly options: readonly PackingOption[];
}

/** What was spent of a budget. Seconds. */
export interface BudgetUse {
  /** The budget as the user set it. */
  readonly budget: number;
  /** The time that went into trials. */
  readonly spent: number;
  /** The time that encoding takes, by the estimate. */
  readonly estimated: number;
}

/** The images of a run with no encoding left to decide, and the budgets that decided. */
export interface Tuning {
  readonly images: readonly DecidedImage[];
  readonly budgets: readonly BudgetUse[];
}

export interface TuneContext {
  readonly reader: LayerReader;
  readonly pool: EncoderPool;
  readonly cache: BlobCache | null;
  /** Whether the target takes plain tars only, so that there is nothing to try. */
  readonly plain: boolean;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** Layers tried at once, however many jobs there are. Each keeps up to 16 MiB, in addition to the blocks of the pool. */
const maxLayers = 4;
/** The share of a budget that trials may take. */
const trialShare = 0.2;

/** A tar to try, and all layers that have it. */
interface Item {
  readonly image: Image;
  /** Position of the image in the run, for the name of the task. */
  readonly number: number;
  readonly content: ResolvedContent;
  readonly wish: Tuned;
  readonly layers: ResolvedLayer[];
}

/**
 * Decides all tuned encodings of the images of a run. It tries samples of what each layer will hold, after any edit, and lets
 * the policy choose. A layer that several images share is tried once.
 */
export async function tuneLayers(images: readonly ResolvedImage[], context: TuneContext): Promise<Tuning> {
  const tunings = new Map<ResolvedLayer, LayerTuning>();
  const budgets: BudgetUse[] = [];
  for (const items of context.plain ? [] : itemsByGoal(images)) {
    const { decided, budget } = await decide(items, context);
    for (const { item, tuning } of decided) for (const layer of item.layers) tunings.set(layer, tuning);
    if (budget !== null) budgets.push(budget);
  }
  return { images: images.map((image) => withDecisions(image, tunings)), budgets };
}

/** Returns the layers to try, those with the same goal and budget together. */
function itemsByGoal(images: readonly ResolvedImage[]): Item[][] {
  const known = new Map<string, Item>();
  for (const [number, { image, layers }] of images.entries()) {
    for (const resolved of layers) {
      const { content } = resolved;
      const wish = encodingOf(resolved.layer);
      if (wish.kind !== 'tuned') continue;
      const key = `${recipeOf(image, content)} ${JSON.stringify(wish)}`;
      const same = known.get(key);
      if (same === undefined) known.set(key, { image, number, content, wish, layers: [resolved] });
      else same.layers.push(resolved);
    }
  }
  return [...Map.groupBy(known.values(), ({ wish }) => JSON.stringify([wish.goal, wish.budget])).values()];
}

/** A layer that was tried, with what there is to choose from. */
interface Tried {
  readonly item: Item;
  readonly sample: LayerSample;
  readonly tarBytes: number;
  readonly options: readonly PackingOption[];
}

interface Decided {
  readonly item: Item;
  readonly tuning: LayerTuning;
}

/** Tries and decides layers that have one goal and one budget. */
async function decide(
  items: readonly Item[],
  context: TuneContext,
): Promise<{ readonly decided: readonly Decided[]; readonly budget: BudgetUse | null }> {
  const { goal, budget } = (items[0] as Item).wish;
  const start = performance.now();
  const before = cpuSeconds();
  const tried = await tryAll(items, budget, context);
  if (budget === null) {
    return { decided: tried.map((each) => decidedAs(each, goal, chooseOption(each, goal))), budget: null };
  }
  const spent = (performance.now() - start) / 1000;
  const trials = tried.reduce((sum, { sample }) => sum + sample.spent, 0);
  const { chosen, seconds } = allocate(tried, goal, {
    seconds: Math.max(0, budget - spent),
    jobs: context.pool.jobs,
    // The layers are read and unpacked once more.
    overhead: Math.max(0, cpuSeconds() - before - trials),
  });
  return {
    decided: tried.map((each, i) => decidedAs(each, goal, chosen[i] as PackingOption)),
    budget: { budget, spent, estimated: seconds },
  };
}

/** Tries all items. The share of a budget that trials may take is divided by the bytes of the layers. */
function tryAll(items: readonly Item[], budget: number | null, context: TuneContext): Promise<Tried[]> {
  const total = items.reduce((sum, item) => sum + bytesOf(item), 0);
  const slots = new Slots(context.pool.jobs);
  return mapParallel(items, maxLayers, context.signal, async (item, _, signal) => {
    const share = total === 0 ? 0 : bytesOf(item) / total;
    const allowance = budget === null ? null : budget * context.pool.jobs * trialShare * share;
    const sample = await trySample(item, { allowance, slots }, { ...context, signal });
    return { item, sample, tarBytes: sample.tarBytes, options: [...asItIs(item), ...sample.options] };
  });
}

function decidedAs(
  { item, sample, tarBytes, options }: Tried,
  goal: TuningGoal,
  chosen: PackingOption,
): Decided {
  return { item, tuning: { goal, tarBytes, sampledBytes: sample.sampledBytes, chosen, options } };
}

/** Returns bytes of the source blobs. */
function bytesOf({ image, content }: Item): number {
  return packedBytes(image, sourcesOf(content));
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Tries one item, unless an earlier run has done it and nothing was timed. */
async function trySample(
  item: Item,
  { allowance, slots }: { readonly allowance: number | null; readonly slots: Slots },
  context: TuneContext,
): Promise<LayerSample> {
  const { image, content, wish } = item;
  const { pool, listener, signal } = context;
  const formats = wish.format === null ? packedFormats : [wish.format];
  const effort = wish.goal.kind === 'size' ? wish.goal.effort : null;
  const ladders = formats.map((format) => ladderOf(format, { gzip: wish.engine }, effort));
  const recipe = `trials of ${recipeOf(image, content)} ${JSON.stringify(ladders.map((ladder) => ladder.map(packerOf)))}`;
  // Times that an earlier run took say nothing about this one.
  const cache = allowance === null ? context.cache : null;
  const known = cache === null ? null : await recallTrials(cache, recipe, signal);
  if (known !== null) return known;
  const label = labelOf(content);
  const id = `try ${label} ${item.number}`;
  using trying = task(listener, { id, phase: 'scan', label, total: bytesOf(item) });
  const tar = openTar(image, content, { reader: context.reader, signal, onBytes: trying.advance });
  const result = await sampleLayer(tar, { ladders, allowance, pool, slots, signal });
  trying.end('tried');
  if (cache !== null) {
    const diffId = content.kind === 'stored' ? layerOf(image, content.layer).diffId : null;
    await rememberTrials(cache, recipe, result, diffId);
  }
  return result;
}

/** Returns the option to keep the blob, where only the packing of the layer changes and its format may stay. */
function asItIs({ image, content, wish }: Item): PackingOption[] {
  if (content.kind !== 'stored') return [];
  const { descriptor } = layerOf(image, content.layer);
  const kind = layerKind(descriptor.mediaType);
  if (kind.kind !== 'layer' || (wish.format !== null && wish.format !== kind.compression)) return [];
  return [{ encoding: null, compression: kind.compression, size: descriptor.size, work: 0, threads: 1 }];
}

/** Puts the decisions into the plan of an image. A layer without a decision is packed as it was. */
function withDecisions(image: ResolvedImage, tunings: ReadonlyMap<ResolvedLayer, LayerTuning>): DecidedImage {
  const layers = image.layers.map((resolved): DecidedLayer => {
    const tuning = tunings.get(resolved) ?? null;
    return { ...resolved, layer: withDecision(resolved.layer, tuning), tuning };
  });
  const isSame = layers.every(({ layer }, i) => layer === image.image.plan.layers[i]);
  return {
    ...image,
    image: isSame ? image.image : withPlan(image.image, { layers: layers.map(({ layer }) => layer) }),
    layers,
  };
}

function withDecision(layer: Layer, tuning: LayerTuning | null): Layer {
  const wish = encodingOf(layer);
  if (wish.kind !== 'tuned') return layer;
  const encoding = tuning?.chosen.encoding ?? null;
  const decided: Encoding =
    encoding === null ? { kind: 'keep' } : { ...encoding, minSavings: wish.minSavings };
  // The topmost encoding is the one that counts.
  return { ...layer, encodings: [...layer.encodings.slice(0, -1), decided] };
}
