import { BlockReader } from '../../codec/block.ts';
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import { packedFormats } from '../../codec/encoding.ts';
import { ladderOf } from '../../compress/effort.ts';
import { allocate, chooseOption, type PackingOption } from '../../compress/policy.ts';
import { type Listener, task } from '../../events.ts';
import {
  type Encoding,
  encodingOf,
  type Image,
  layerOf,
  type Tuned,
  type TuningGoal,
  withPlan,
} from '../../image/image.ts';
import { layerKind } from '../../oci/media-type.ts';
import type { Resolution, ResolvedContent } from '../../slim/resolve/resolve.ts';
import type { BlobCache } from '../../store/cache/blob-cache.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { Slots } from '../../stream/slots.ts';
import { editTar } from '../../layers/edit/edit-tar.ts';
import type { LayerReader } from '../../layers/read/layer-reader.ts';
import { packerOf, recipeOf } from '../../layers/write/recipe.ts';
import { type LayerSample, sampleLayer } from './sample-layer.ts';
import { labelOf, packedBytes, sourcesOf } from '../../layers/write/content-sources.ts';
import { recallTrials, rememberTrials } from './stored-trials.ts';

/** What was decided about a layer, and on what grounds. */
export interface LayerTuning {
  readonly goal: TuningGoal;
  readonly tarBytes: number;
  readonly sampledBytes: number;
  readonly chosen: PackingOption;
  /** All that there was to choose from. */
  readonly options: readonly PackingOption[];
}

/** What became of a budget. */
export interface BudgetUse {
  /** Seconds, as asked for. */
  readonly budget: number;
  /** Seconds that went into trials. */
  readonly spent: number;
  /** Seconds that encoding takes, by the estimate. */
  readonly estimated: number;
}

export interface TunedImage {
  /** With nothing left to decide. */
  readonly image: Image;
  /** By the position of the layer in the plan. */
  readonly tunings: ReadonlyMap<number, LayerTuning>;
}

export interface Tuning {
  readonly images: readonly TunedImage[];
  readonly budgets: readonly BudgetUse[];
}

export interface TuneContext {
  readonly reader: LayerReader;
  readonly pool: EncoderPool;
  readonly cache: BlobCache | null;
  /** Layers are not packed at all: then there is nothing to try. */
  readonly plain: boolean;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** Layers read at once to be tried, however many jobs there are: each keeps up to 16 MiB, besides what runs. */
const maxLayers = 4;
/** The share of a budget that trials may take. */
const trialShare = 0.2;

interface Item {
  readonly image: Image;
  readonly content: ResolvedContent;
  readonly wish: Tuned;
  readonly places: { readonly image: number; readonly layer: number }[];
}

/**
 * Decides all tuned packings of the images of a run: tries out samples of what each layer will hold, after any edit, and lets the policy
 * choose. A layer that several images have is tried once.
 */
export async function tuneLayers(
  images: readonly { readonly image: Image; readonly resolution: Resolution }[],
  context: TuneContext,
): Promise<Tuning> {
  const groups = collectItems(images);
  const tunings = images.map(() => new Map<number, LayerTuning>());
  const budgets: BudgetUse[] = [];
  for (const items of context.plain ? [] : groups.values()) {
    const decided = await decide(items, context);
    items.forEach(({ places }, i) => {
      for (const { image, layer } of places) tunings[image]?.set(layer, decided.tunings[i] as LayerTuning);
    });
    if (decided.budget !== null) budgets.push(decided.budget);
  }
  return {
    images: images.map(({ image }, i) => {
      const own = tunings[i] as Map<number, LayerTuning>;
      return { image: withDecisions(image, own), tunings: own };
    }),
    budgets,
  };
}

/** Layers to try, those of one goal and budget together. */
function collectItems(
  images: readonly { readonly image: Image; readonly resolution: Resolution }[],
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  const known = new Map<string, Item>();
  images.forEach(({ image, resolution }, i) => {
    image.plan.layers.forEach((layer, j) => {
      const wish = encodingOf(layer);
      const content = resolution.contents[j] as ResolvedContent;
      if (wish.kind !== 'tuned') return;
      const key = `${recipeOf(image, content)} ${JSON.stringify(wish)}`;
      const place = { image: i, layer: j };
      const same = known.get(key);
      if (same !== undefined) return void same.places.push(place);
      const item = { image, content, wish, places: [place] };
      known.set(key, item);
      const group = JSON.stringify([wish.goal, wish.budget]);
      groups.set(group, [...(groups.get(group) ?? []), item]);
    });
  });
  return groups;
}

async function decide(
  items: readonly Item[],
  context: TuneContext,
): Promise<{ readonly tunings: readonly LayerTuning[]; readonly budget: BudgetUse | null }> {
  const { goal, budget } = (items[0] as Item).wish;
  const start = performance.now();
  const before = cpuSeconds();
  const sizes = items.map(({ image, content }) => packedBytes(image, sourcesOf(content)));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const slots = new Slots(context.pool.jobs);
  const samples = await mapParallel(items, maxLayers, context.signal, (item, i, signal) => {
    const share = total === 0 ? 0 : (sizes[i] as number) / total;
    const allowance = budget === null ? null : budget * context.pool.jobs * trialShare * share;
    return sample(item, allowance, slots, { ...context, signal });
  });
  const layers = samples.map(({ tarBytes, options }, i) => ({
    tarBytes,
    options: [...asItIs(items[i] as Item), ...options],
  }));
  const tuningOf = (i: number, chosen: PackingOption): LayerTuning => ({
    goal,
    chosen,
    sampledBytes: (samples[i] as LayerSample).sampledBytes,
    ...(layers[i] as (typeof layers)[number]),
  });
  if (budget === null)
    return { tunings: layers.map((layer, i) => tuningOf(i, chooseOption(layer, goal))), budget: null };
  const spent = (performance.now() - start) / 1000;
  const trials = samples.reduce((sum, each) => sum + each.spent, 0);
  const { chosen, seconds } = allocate(layers, goal, {
    seconds: Math.max(0, budget - spent),
    jobs: context.pool.jobs,
    // The layers are read and unpacked once more.
    overhead: Math.max(0, cpuSeconds() - before - trials),
  });
  return {
    tunings: chosen.map((option, i) => tuningOf(i, option)),
    budget: { budget, spent, estimated: seconds },
  };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function sample(
  item: Item,
  allowance: number | null,
  slots: Slots,
  context: TuneContext,
): Promise<LayerSample> {
  const { image, content, wish } = item;
  const { reader, pool, listener, signal } = context;
  const formats = wish.format === null ? packedFormats : [wish.format];
  const effort = wish.goal.kind === 'size' ? wish.goal.effort : null;
  const ladders = formats.map((format) => ladderOf(format, { gzip: wish.engine }, effort));
  const recipe = `trials of ${recipeOf(image, content)} ${JSON.stringify(ladders.map((ladder) => ladder.map(packerOf)))}`;
  // What was timed is out of date.
  const cache = allowance === null ? context.cache : null;
  const known = cache === null ? null : await recallTrials(cache, recipe, signal);
  if (known !== null) return known;
  const label = labelOf(content);
  const id = `try ${label} ${item.places[0]?.image ?? 0}`;
  using trying = task(listener, { id, phase: 'scan', label, total: packedBytes(image, sourcesOf(content)) });
  const onBytes = trying.advance;
  // Another order makes little difference, and would have to be put by once more.
  const tar =
    content.kind === 'stored'
      ? reader.blocks(image, content.layer, signal, onBytes).blocks
      : new BlockReader(
          editTar({ ...content.edit, order: null }, (layer) =>
            reader.tar(image, layer, signal, { onBytes, lent: true }),
          ),
        );
  const result = await sampleLayer(tar, { ladders, allowance, pool, slots, signal });
  trying.end('tried');
  if (cache !== null) {
    const diffId = content.kind === 'stored' ? layerOf(image, content.layer).diffId : null;
    await rememberTrials(cache, recipe, result, diffId);
  }
  return result;
}

/** The blob stays only where nothing is done to the layer but packing, and where its format may stay. */
function asItIs({ image, content, wish }: Item): PackingOption[] {
  if (content.kind !== 'stored') return [];
  const { descriptor } = layerOf(image, content.layer);
  const kind = layerKind(descriptor.mediaType);
  if (kind.kind !== 'layer' || (wish.format !== null && wish.format !== kind.compression)) return [];
  return [{ encoding: null, compression: kind.compression, size: descriptor.size, work: 0, threads: 1 }];
}

/** The topmost encoding is what counts; without a decision the layer is packed as it was. */
function withDecisions(image: Image, tunings: ReadonlyMap<number, LayerTuning>): Image {
  if (image.plan.layers.every((layer) => encodingOf(layer).kind !== 'tuned')) return image;
  return withPlan(image, {
    layers: image.plan.layers.map((layer, i) => {
      const wish = encodingOf(layer);
      if (wish.kind !== 'tuned') return layer;
      const encoding = tunings.get(i)?.chosen.encoding ?? null;
      const decided: Encoding =
        encoding === null ? { kind: 'keep' } : { ...encoding, minSavings: wish.minSavings };
      return { ...layer, encodings: [...layer.encodings.slice(0, -1), decided] };
    }),
  });
}
