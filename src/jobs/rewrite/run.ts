/**
 * The interpreter of plans: reads an image set, applies a job to every image, and writes and publishes the result. The
 * commands call it, and users of the library; each of its steps is a file of this folder.
 */
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import type { Listener } from '../../events.ts';
import type { DiskBudget } from '../../files/disk-budget.ts';
import { Scratch } from '../../files/scratch.ts';
import { type PackedEncoding, usualEncoding } from '../../codec/encoding.ts';
import { packUnpacked } from '../../compress/pack-unpacked.ts';
import type { ConfigEdit } from '../../image/config-edit.ts';
import { encodingOf, type Transform } from '../../image/image.ts';
import { LayerReader } from '../../layers/read/layer-reader.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import type { Family } from '../../oci/media-type.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Source, Target } from '../../place/place.ts';
import type { BlobCache } from '../../store/cache/blob-cache.ts';
import { CachedSource } from '../../store/cache/cached-source.ts';
import { type ImageSet, readImageSet } from '../image-set.ts';
import { warnOfHistory } from './history.ts';
import { AskedReferrers } from './asked-referrers.ts';
import {
  type AboutSource,
  type CarriedArtifacts,
  plannedFates,
  refuseArtifacts,
  refuseToCarry,
  tellArtifacts,
} from './carry-artifacts.ts';
import type { FoundArtifact, ReferrerMode } from './find-artifacts.ts';
import { identity, type Job, jobOf } from './job.ts';
import { planImages } from './plan-images.ts';
import {
  holdsOneImage,
  type Place,
  isWrittenAlone,
  refuseUnfit,
  refuseVariant,
  warnOfLeftOut,
} from './one-image.ts';
import { publishImages } from './publish-images.ts';
import {
  apart,
  type DecidedImage,
  type PlannedImage,
  type ResolvedImage,
  type RunOutcome,
} from './records.ts';
import { resolveImages } from './resolve-images.ts';
import type { TuneContext, Tuning } from './tune-layers.ts';
import {
  isOnePlace,
  warnOfEncodings,
  warnOfFrames,
  warnOfOthers,
  warnOfRemovals,
  warnOfResolution,
} from './warnings.ts';

export { identity };
export type { RunOutcome } from './records.ts';

export interface RunOptions {
  readonly source: Source;
  /** Null for a dry run, which writes nothing. */
  readonly target: Target | null;
  /** The place that a dry run would write to. Default: one that holds anything. */
  readonly place?: Place | null;
  /** The change to make to every image. With `identity` the run is a copy. */
  readonly transform: Transform;
  /** The edits of the config in the transform, for warnings. Default: none. */
  readonly edits?: readonly ConfigEdit[];
  /**
   * How plain layers are packed where the source has unpacked them (`docker save`), nothing else decides, and the target takes
   * packed layers. Null leaves them plain. Default: gzip at its usual level.
   */
  readonly unpacked?: PackedEncoding | null;
  /** The platforms to take of an index; all if empty. */
  readonly platforms: readonly Platform[];
  /** The platforms to take of an index where `platforms` names none. */
  readonly platformsOfIndex?: readonly Platform[];
  /** Number of layers worked on at once. */
  readonly jobs: number;
  readonly pool: EncoderPool;
  /** Bytes of local disk that may be used between two readings of a layer, or the budget that they come from. */
  readonly maxScratch: number | DiskBudget;
  /** What earlier runs have read and made. Default: no cache. */
  readonly cache?: BlobCache | null;
  /** SOURCE_DATE_EPOCH in seconds. */
  readonly epoch: number | null;
  /** The share of their size by which all layer blobs together must shrink for the result to be published. */
  readonly requireSavings: number | null;
  /**
   * How every image is packed a second time: the index gets a manifest of it in gzip, and this one. One that is there already is replaced.
   * Default: once.
   */
  readonly variant?: PackedEncoding | null;
  /** The only family of manifests to write. Default: that of the target. */
  readonly family?: Family | null;
  /** Bounds of what is accepted from sources. Default: `defaultLimits`. */
  readonly limits?: Limits;
  /** What happens to the artifacts about the source. Default: `drop`. */
  readonly referrers?: ReferrerMode;
  /** The artifacts about the source, where an earlier run has found them. Default: this run looks for them. */
  readonly carried?: CarriedArtifacts | null;
  /** Whether to record the digest of every removed file. Default: no. */
  readonly digests?: boolean;
  /** Whether to look for the packages of images that are pruned, as a bill of materials does. Default: no. */
  readonly components?: boolean;
  /** Whether to scan the headers of all layers, those included that the plan need not know. Default: no. */
  readonly headers?: boolean;
  /** Looks at each image before anything is written, and may refuse it. Default: none is looked at. */
  readonly examine?: Examine | null;
  /** Writes what is about the result beside it, before its names are published. Default: nothing. */
  readonly attach?: Attach | null;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** Writes artifacts about a result to its target, where everything but its root and its names is written. */
export type Attach = (outcome: RunOutcome, target: Target) => Promise<void>;

/**
 * Looks at an image whose plan is resolved, by the layers that it reads. Returns the image with what it found, or throws: then nothing is
 * written.
 */
export type Examine = (
  image: ResolvedImage,
  means: Pick<RunContext, 'reader' | 'jobs' | 'listener' | 'signal'>,
) => Promise<ResolvedImage>;

/** What the steps of one run share. */
export interface RunContext
  extends Omit<RunOptions, 'transform' | 'unpacked' | 'cache' | 'limits' | 'referrers' | 'carried'> {
  /** The source, behind the cache if there is one. */
  readonly source: Source;
  readonly cached: CachedSource | null;
  readonly cache: BlobCache | null;
  readonly limits: Limits;
  readonly scratch: Scratch;
  readonly reader: LayerReader;
  readonly referrers: AskedReferrers;
}

/**
 * Reads an image set, applies the transform, reads the headers that the plan needs, resolves what each layer holds, writes
 * the layers, puts manifests together and publishes them, the root last. On any error nothing has been published.
 * @throws UNSUPPORTED for a rewrite of something else than images, GATE where `requireSavings` is not met, and what
 * places, transforms and layers throw
 */
export async function run(options: RunOptions): Promise<RunOutcome> {
  const job = jobOf(options.transform);
  const finish = finishing(options);
  await using scratch = new Scratch(options.maxScratch);
  const context = contextOf(options, scratch);
  const { source, listener, target, signal } = context;
  await using _ = context.referrers;
  const set = await readSet(job, context);
  const { variant = null } = options;
  const planned = planImages(job, set, { label: source.label, variant });
  warnOfRemovals(set, options.edits ?? [], listener);
  const place = placeOf(options);
  if (place !== null && holdsOneImage(place)) {
    if (variant !== null) refuseVariant(place);
    refuseUnfit(set, planned, place);
    warnOfLeftOut(set, place, listener);
    signal.throwIfAborted();
  }
  const about = await artifactsOf(set, planned, { job, options, context });
  const resolved = await examined(
    await resolveImages(
      planned.map((each) => ({ ...each, image: finish(each.image) })),
      context,
    ),
    context,
  );
  for (const image of apart(resolved).images) {
    warnOfHistory(image, listener);
    await warnOfResolution(image, listener);
  }
  if (job.kind === 'rewrite' && !holdsOneImage(place)) warnOfOthers(set, listener);
  const scanned = await withHeaders(resolved, context);
  await warnOfMissing(scanned, context);
  const { images, budgets } = await decide(scanned, context);
  warnOfEncodings(images, listener);
  for (const image of images) warnOfFrames(image, place, listener);
  // Awaited here, since the scratch is closed at the end of this block.
  if (target === null) return await dryOutcome(set, { images, budgets }, { ...context, about });
  return await publishImages(set, { images, budgets }, { ...context, target, about });
}

/** Returns where a run writes to, or would write to; null for a dry run that names no place. */
function placeOf({ target, place = null }: Pick<RunOptions, 'target' | 'place'>): Place | null {
  return target ?? place;
}

/** Returns what is done to the plan of every image after the job, a copy included: see the exceptions to law 5. */
function finishing(options: RunOptions): Transform {
  const { source, unpacked = usualEncoding('gzip') } = options;
  const isWanted = source.unpacksLayers && placeOf(options)?.layerFormat !== 'plain';
  return isWanted && unpacked !== null ? packUnpacked(unpacked) : identity;
}

function contextOf(options: RunOptions, scratch: Scratch): RunContext {
  const { cache = null, limits = defaultLimits, listener } = options;
  const cached = cache === null ? null : new CachedSource(options.source, cache);
  const source = cached ?? options.source;
  const threads = options.pool.unpackers;
  const reader = new LayerReader({ source, scratch, listener, cache, threads, limits });
  const referrers = new AskedReferrers(source, options.signal);
  return { ...options, source, cached, cache, limits, scratch, reader, referrers };
}

/**
 * Finds the artifacts about the source, tells of them, and refuses them where that is asked for. A copy that leaves them behind does not look for
 * all, since they hold where they are. @throws GATE, LIMIT, UNSUPPORTED
 */
async function artifactsOf(
  set: ImageSet,
  planned: readonly PlannedImage[],
  {
    job,
    options,
    context,
  }: { readonly job: Job; readonly options: RunOptions; readonly context: RunContext },
): Promise<AboutSource> {
  const { referrers: mode = 'drop', carried = null } = options;
  const { source, target, listener } = context;
  if (mode === 'copy' && holdsOneImage(placeOf(options))) refuseToCarry(placeOf(options)?.label ?? '');
  if (carried !== null) return { mode, ...carried };
  const place = placeOf(options);
  const alone = isWrittenAlone(set, planned.length, place ?? { layerFormat: 'any' });
  const isStill = target !== null && isOnePlace(source, target) && job.kind === 'copy';
  if (isStill || (mode === 'drop' && job.kind === 'copy'))
    return { mode: 'drop', set, found: [], source, alone };
  const { findArtifacts } = await import('./find-artifacts.ts');
  const found = await findArtifacts(set, planned, { ...context, alone, thorough: mode !== 'drop' });
  if (mode === 'fail') refuseArtifacts(await leftOf(found, job, context), source);
  // A place for one image has said which rows it does not hold.
  const told = holdsOneImage(place) ? found.filter(({ by }) => by !== 'row') : found;
  tellArtifacts({ set, found: told, alone }, mode, listener);
  return { mode, set, found, source, alone };
}

/** Returns the artifacts that a run leaves behind. A copy within a folder leaves none. */
async function leftOf(
  found: readonly FoundArtifact[],
  job: Job,
  { target, signal }: RunContext,
): Promise<readonly FoundArtifact[]> {
  if (job.kind !== 'copy' || target === null || target.mountable !== null) return found;
  const left: FoundArtifact[] = [];
  for (const each of found) if (!(await target.has(each.referrer, signal))) left.push(each);
  return left;
}

function readSet(job: Job, context: RunContext): Promise<ImageSet> {
  const { source, platforms, platformsOfIndex = [], limits, listener, signal } = context;
  const tolerant = job.kind === 'copy';
  // What a place for plain layers gets depends on what the layers are.
  const actualTypes = !tolerant || holdsOneImage(placeOf(context));
  return readImageSet(source, {
    platforms,
    platformsOfIndex,
    tolerant,
    actualTypes,
    variants: context.variant != null || holdsOneImage(placeOf(context)) ? 'one' : 'all',
    limits,
    listener,
    signal,
  });
}

/** Shows each image to what is to examine it. @throws what that throws */
async function examined(
  images: readonly ResolvedImage[],
  context: RunContext,
): Promise<readonly ResolvedImage[]> {
  const { examine = null } = context;
  if (examine === null) return images;
  const seen: ResolvedImage[] = [];
  for (const image of images) seen.push(await examine(image, context));
  return seen;
}

/** Adds the headers of the layers that no plan had to know, where they are asked for. */
async function withHeaders(
  images: readonly ResolvedImage[],
  context: RunContext,
): Promise<readonly ResolvedImage[]> {
  if (context.headers !== true) return images;
  const { scanRest } = await import('./scan-rest.ts');
  const scanned: ResolvedImage[] = [];
  for (const image of images) scanned.push(await scanRest(image, context));
  return scanned;
}

/** Warns of programs that edits of configs name and the images lack. What finds them is loaded only where there are edits. */
async function warnOfMissing(all: readonly ResolvedImage[], { listener, signal }: RunContext): Promise<void> {
  const edited = apart(all).images.filter(({ image }) => image.plan.config.length > 0);
  if (edited.length === 0) return;
  const { warnOfPrograms } = await import('./missing-programs.ts');
  for (const image of edited) await warnOfPrograms(image, listener, signal);
}

/** Puts plain encodings in the place of tuned ones. The code that tries encodings is loaded only where it is needed. */
async function decide(images: readonly ResolvedImage[], context: RunContext): Promise<Tuning> {
  const isTuned = images.some(({ layers }) => layers.some(({ layer }) => encodingOf(layer).kind === 'tuned'));
  if (!isTuned) return { images: images.map(untuned), budgets: [] };
  const { reader, pool, cache, listener, signal } = context;
  const plain = placeOf(context)?.layerFormat === 'plain';
  const tuneContext: TuneContext = { reader, pool, cache, plain, listener, signal };
  return (await import('./tune-layers.ts')).tuneLayers(images, tuneContext);
}

function untuned(image: ResolvedImage): DecidedImage {
  return { ...image, layers: image.layers.map((layer) => ({ ...layer, tuning: null })) };
}

/** Ends a dry run: estimates what would be written, and writes nothing. */
async function dryOutcome(
  set: ImageSet,
  { images, budgets }: Tuning,
  context: RunContext & { readonly about: AboutSource },
): Promise<RunOutcome> {
  const { reader, cached, pool, listener, signal, about } = context;
  const { estimateLayers } = await import('./estimate-layers.ts');
  const layerFormat = placeOf(context)?.layerFormat ?? 'any';
  const estimates = await estimateLayers(images, { layerFormat, reader, pool, listener, signal });
  const outcomes = images.map((image) => ({
    ...image,
    layers: image.layers.map((layer) => {
      const estimate = estimates.get(layer);
      return { ...layer, sealed: null, ...(estimate === undefined ? {} : { estimate }) };
    }),
    manifest: null,
    config: null,
  }));
  return {
    set,
    ...apart(outcomes),
    root: null,
    artifacts: plannedFates(about),
    encodings: [],
    budgets,
    downloaded: reader.downloaded,
    others: { present: 0, mounted: 0, copied: 0 },
    cache: cached === null ? null : { downloaded: cached.downloaded, reused: cached.reused },
  };
}
