import type { LayerIndex } from '../../changeset/layer-index.ts';
import { quotePath, root } from '../../bytes/path.ts';
import { caveatOf, type PackedEncoding, plainEncoding, readersOf } from '../../codec/encoding.ts';
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import {
  encodingOf,
  type Image,
  isUntouched,
  type Layer,
  layerOf,
  nameOfImage,
  type Transform,
} from '../../image/image.ts';
import { type Family, layerMediaType } from '../../oci/media-type.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import type { Resolution } from '../../slim/resolve/resolve.ts';
import { layersToScan, untouched } from '../../slim/resolve/untouched.ts';
import type { BlobCache } from '../../store/cache/blob-cache.ts';
import { CachedSource } from '../../store/cache/cached-source.ts';
import type { RawManifest, Source, Target } from '../../place/place.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { type Assembled, assemble, requireHistory, timeOf } from './assemble.ts';
import { type ImageSet, type Member, readImageSet } from '../image-set.ts';
import type { Gathering } from '../../layers/read/gather.ts';
import { packedBytes, sourcesOf } from '../../layers/write/content-sources.ts';
import { LayerReader, type Scan } from '../../layers/read/layer-reader.ts';
import { LayerWriter } from '../../layers/write/layer-writer.ts';
import { blobOf, compressionOf, encodingOfBlob, type SealedLayer } from '../../layers/write/sealed-layer.ts';
import { Scratch } from '../../files/scratch.ts';
import type { BudgetUse, LayerTuning, TuneContext, TunedImage, Tuning } from './tune-layers.ts';
import { SpoolRoom } from '../../layers/edit/spool.ts';
import { warnOfReferrers, writeManifests } from './write-manifests.ts';

export interface RunOptions {
  readonly source: Source;
  /** Null for a dry run: nothing is written. */
  readonly target: Target | null;
  readonly transform: Transform;
  /** Empty: all. */
  readonly platforms: readonly Platform[];
  /** Where the source is an index and `platforms` names none: these. */
  readonly platformsOfIndex?: readonly Platform[];
  /** Layers worked on at once. */
  readonly jobs: number;
  readonly pool: EncoderPool;
  /** Bytes of local disk that may be used between two readings of a layer. */
  readonly maxScratch: number;
  /** What earlier runs have read and made. */
  readonly cache?: BlobCache | null;
  /** SOURCE_DATE_EPOCH in seconds. */
  readonly epoch: number | null;
  /** Publish nothing unless all layer blobs together shrink by this share of their size. */
  readonly requireSavings: number | null;
  /** How much of what strangers have made is taken; the defaults unless told. */
  readonly limits?: Limits;
  /** Is the digest of everything that is removed asked for? */
  readonly digests?: boolean;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** What became of one image. `layers` and `manifest` are null in a dry run. */
export interface ImageOutcome {
  readonly image: Image;
  readonly platform: Platform | null;
  readonly resolution: Resolution;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly facts: ReadonlyMap<number, LayerFacts>;
  /** By position in the plan, whose encodings are those that were decided. */
  readonly tunings: ReadonlyMap<number, LayerTuning>;
  readonly layers: readonly SealedLayer[] | null;
  readonly manifest: RawManifest | null;
}

export interface RunOutcome {
  readonly set: ImageSet;
  readonly images: readonly ImageOutcome[];
  /** The manifest or index now published; null in a dry run. */
  readonly root: RawManifest | null;
  readonly encodings: readonly PackedEncoding[];
  readonly budgets: readonly BudgetUse[];
  /** Bytes of layers that were read to be unpacked. */
  readonly downloaded: number;
  /** Null where there is no cache. */
  readonly cache: CacheUse | null;
}

/** With a cache, what came from where. Bytes. */
export interface CacheUse {
  /** From the source itself, whatever for. */
  readonly downloaded: number;
  /** From the cache: blobs of the source, and layers that an earlier run had made. */
  readonly reused: number;
}

/** The number of unchanged blobs handled at once: these wait for the network, not for a processor. */
const adoptions = 6;

/**
 * The interpreter: reads an image set, applies the transform, scans what the plan must know, resolves, writes the
 * layers, puts manifests together and publishes them, the root last. On any error nothing has been published.
 */
export async function run(options: RunOptions): Promise<RunOutcome> {
  const { listener, signal, cache = null, limits = defaultLimits } = options;
  const cached = cache === null ? null : new CachedSource(options.source, cache);
  const source = cached ?? options.source;
  const scratch = new Scratch(options.maxScratch);
  try {
    const set = await readImageSet(source, options.platforms, signal, options.platformsOfIndex, limits);
    const images = set.members.flatMap(({ image, child }) =>
      image === null
        ? []
        : [{ image: options.transform(image), platform: child?.platform ?? image.config.platform }],
    );
    if (images.length === 0 && options.transform !== identity) {
      throw new OcislimError(
        'UNSUPPORTED',
        `${source.label} is not an image but an artifact of another kind`,
        { advice: '"ocislim copy" copies it as it is.' },
      );
    }
    requireOneImage(images.map(({ image }) => image));
    const reader = new LayerReader(source, scratch, listener, cache, options.pool.unpackers, limits);
    const scanned = await mapParallel(images, 1, signal, async ({ image, platform }, _, inner) => ({
      image,
      platform,
      ...(await read(image, reader, options, inner)),
    }));
    for (const { image, resolution } of scanned) {
      requireHistory({ image, contents: resolution.contents });
      await warn(image, resolution, listener);
    }
    const plain = options.target?.layerFormat === 'plain';
    const { images: tuned, budgets } = await tune(scanned, { ...options, reader, cache, plain });
    const resolved = scanned.map((each, i): Resolved => ({ ...each, ...(tuned[i] as TunedImage) }));
    warnOfEncodings(
      resolved.map(({ image }) => image),
      listener,
    );
    if (options.target === null) {
      return {
        set,
        images: resolved.map((each) => ({ ...each, layers: null, manifest: null })),
        root: null,
        encodings: [],
        budgets,
        downloaded: reader.downloaded,
        cache: useOf(cached, 0),
      };
    }
    const outcome = await write(
      { ...options, source },
      options.target,
      set,
      resolved,
      reader,
      new SpoolRoom(scratch),
      cached,
    );
    return { ...outcome, budgets };
  } finally {
    await scratch.close();
  }
}

/** Puts plain encodings in the place of tuned ones. What tries them is loaded where there are some. */
async function tune(
  images: readonly { readonly image: Image; readonly resolution: Resolution }[],
  context: TuneContext,
): Promise<Tuning> {
  const isTuned = ({ image }: { readonly image: Image }) =>
    image.plan.layers.some((layer) => encodingOf(layer).kind === 'tuned');
  if (images.some(isTuned)) return (await import('./tune-layers.ts')).tuneLayers(images, context);
  return { images: images.map(({ image }) => ({ image, tunings: new Map() })), budgets: [] };
}

/** A trace that does not say of what platform it is cannot be for several. @throws USAGE */
function requireOneImage(images: readonly Image[]): void {
  const nameless = images.flatMap(({ plan }) =>
    plan.prunings.flatMap(({ trace }) => (trace?.trace.platform === null ? [trace.trace.name] : [])),
  );
  if (nameless.length < 2) return;
  throw new OcislimError(
    'USAGE',
    `the image has ${images.length} platforms, and the trace ${nameless[0] ?? ''} does not say of which it is`,
    { advice: 'Select one by --platform, or record traces that name theirs: ocislim trace record --image.' },
  );
}

/** The transform that changes nothing: copying. */
export const identity: Transform = (image) => image;

async function read(image: Image, reader: LayerReader, options: RunOptions, signal: AbortSignal) {
  const indexes = new Map<number, LayerIndex>();
  const facts = new Map<number, LayerFacts>();
  let wanted: readonly number[] = layersToScan(image);
  if (wanted.length === 0 && image.original === null) return { resolution: untouched(image), indexes, facts };
  const gathering = await gatheringFor(image, options.digests === true);
  const { resolve } = await import('../../slim/resolve/resolve.ts');
  for (;;) {
    const missing = largestFirst(
      wanted.filter((number) => !indexes.has(number)),
      (number) => layerOf(image, number).descriptor.size,
    );
    const read = await mapParallel(missing, options.jobs, signal, (number, _, inner) =>
      reader.scan(image, number, gathering, inner),
    );
    missing.forEach((number, i) => {
      const scan = read[i] as Scan;
      indexes.set(number, scan.index);
      facts.set(number, scan.facts);
    });
    const result = resolve(
      image,
      new Map([...indexes].sort(([a], [b]) => a - b)),
      (range) => timeOf(image, range, options.epoch),
      facts,
    );
    if (result.kind === 'resolved') return { resolution: result.resolution, indexes, facts };
    wanted = result.layers;
  }
}

/** Facts cost a look into every file: only where something is decided by them, or the report is to have them. */
async function gatheringFor(image: Image, digests: boolean): Promise<Gathering | null> {
  const { prunings, arrangements } = image.plan;
  const twins = arrangements.some(({ hardlinks }) => hardlinks);
  const traced = prunings.some(({ trace }) => trace !== null);
  const removes = traced || prunings.some(({ rules }) => rules.length > 0);
  if (!traced && !twins && !(digests && removes)) return null;
  const probe = traced ? (await import('../../closure/close-image.ts')).contentProbe : null;
  return { probe, digests: digests && removes, twins };
}

async function warn(image: Image, resolution: Resolution, listener: Listener): Promise<void> {
  for (const change of resolution.keptForLinks) {
    const path = resolution.table?.paths[change.path];
    listener({
      type: 'warning',
      code: 'KEPT_FOR_LINK',
      message: `${nameOfImage(image)}: ${quotePath(path ?? root)} stays, since a layer that was not selected has a hard link to it`,
    });
  }
  for (const { input, pruning, problems, doubts } of resolution.traced) {
    for (const doubt of doubts)
      listener({ type: 'warning', code: 'TRACE_DOUBTFUL', message: `${nameOfImage(image)}: ${doubt}` });
    for (const { sentence } of problems)
      listener({
        type: 'warning',
        code: 'FORCED',
        message: `${nameOfImage(image)} may not run: ${sentence}`,
      });
    if (pruning.granularity === 'file') continue;
    const { packagesOf } = await import('../../rootfs/packages/package-index.ts');
    for (const { path, why } of packagesOf(input).unread)
      listener({
        type: 'warning',
        code: 'PACKAGES_UNREAD',
        message: `${nameOfImage(image)}: the package database ${quotePath(path)} cannot be read (${why}): of its packages only what is needed stays`,
      });
  }
  for (const rule of resolution.unusedRules) {
    if (rule.group === undefined)
      listener({
        type: 'warning',
        code: 'RULE_UNUSED',
        message: `${rule.origin}: the rule ${JSON.stringify(rule.text)} matches nothing in ${nameOfImage(image)}`,
      });
  }
}

/** Reports each warning that a planned encoding deserves, once. */
function warnOfEncodings(images: readonly Image[], listener: Listener): void {
  const encodings = images.flatMap(({ plan }) => plan.layers.map(encodingOf));
  const caveats = encodings.flatMap((encoding) =>
    encoding.kind === 'keep' || encoding.kind === 'tuned' ? [] : (caveatOf(encoding) ?? []),
  );
  for (const caveat of new Map(caveats.map((each) => [each.message, each])).values()) listener(caveat);
}

type Resolved = Omit<ImageOutcome, 'layers' | 'manifest'>;

async function write(
  options: RunOptions,
  target: Target,
  set: ImageSet,
  images: readonly Resolved[],
  reader: LayerReader,
  room: SpoolRoom,
  cached: CachedSource | null,
): Promise<Omit<RunOutcome, 'budgets'>> {
  const { source, listener, signal, pool } = options;
  const writer = new LayerWriter({
    source,
    target,
    reader,
    pool,
    listener,
    cache: options.cache ?? null,
    room,
  });
  // Nothing changes: the configs go beside the layers, as they are.
  const configs = isCopy(target, images) ? images.map(({ image }) => image) : [];
  let layers: readonly (readonly SealedLayer[])[] = [];
  const work = [
    async (inner: AbortSignal) => {
      layers = await writeLayers(writer, images, options.jobs, inner);
    },
    (inner: AbortSignal) => putConfigs(target, configs, inner),
  ];
  await mapParallel(work, work.length, signal, (each, _, inner) => each(inner));
  gateSavings(options.requireSavings, images, layers);
  const family = familyOfAll(set, images, layers, listener);
  const assembled = new Map<Member, Assembled>();
  const outcomes: ImageOutcome[] = [];
  let next = 0;
  for (const member of set.members) {
    if (member.image === null) continue;
    const each = images[next] as Resolved;
    const sealed = layers[next++] as readonly SealedLayer[];
    const created =
      options.epoch === null ? null : new Date(options.epoch * 1000).toISOString().replace('.000Z', 'Z');
    const unchanged =
      isUnchanged(each.image, sealed) && (family === null || family === each.image.manifest.family);
    if (unchanged) {
      assembled.set(member, {
        manifest: member.raw,
        config: { descriptor: each.image.manifest.config, bytes: each.image.config.bytes },
      });
    } else {
      assembled.set(
        member,
        assemble(each.image, sealed, {
          family: family ?? each.image.manifest.family,
          resolution: each.resolution,
          sourceName: source.label,
          created,
        }),
      );
    }
    outcomes.push({ ...each, layers: sealed, manifest: (assembled.get(member) as Assembled).manifest });
  }
  const root = await writeManifests(target, set, assembled, family, {
    ...options,
    there: new Set(configs.map(({ manifest }) => manifest.config.digest)),
    again: (digests, inner) => writer.again(digests, inner),
  });
  await warnOfReferrers(source, set, root, listener, signal);
  // A warning that --strict makes an error comes before the tag.
  signal.throwIfAborted();
  await publish(target, root, signal);
  const encodings = layers.flat().flatMap((sealed) => encodingOfBlob(sealed) ?? []);
  return {
    set,
    images: outcomes,
    root,
    encodings: distinct(encodings),
    downloaded: reader.downloaded,
    cache: useOf(cached, writer.reused),
  };
}

function useOf(cached: CachedSource | null, made: number): CacheUse | null {
  return cached === null ? null : { downloaded: cached.downloaded, reused: cached.reused + made };
}

/** From here on an interruption may come too late: who is told that nothing was published must be able to rely on it. */
async function publish(target: Target, root: RawManifest, signal: AbortSignal): Promise<void> {
  try {
    await target.publish(root, signal);
  } catch (error) {
    if (!(error instanceof OcislimError) || (error.code !== 'INTERRUPTED' && error !== signal.reason))
      throw error;
    throw new OcislimError(
      error.code,
      `interrupted while ${target.label} was being published: it is the old image or the new one, ${root.descriptor.digest}`,
      { cause: error },
    );
  }
}

/** Whatever becomes of the layers, is every config the one that was read? */
function isCopy(target: Target, images: readonly Resolved[]): boolean {
  return target.layerFormat === 'any' && images.every(({ image }) => isUntouched(image));
}

async function putConfigs(target: Target, images: readonly Image[], signal: AbortSignal): Promise<void> {
  await mapParallel(images, adoptions, signal, ({ manifest, config }, _, inner) =>
    target.put(config.bytes, manifest.config, inner),
  );
}

/** Layers that need processors and layers that need only the network go on beside each other. */
async function writeLayers(
  writer: LayerWriter,
  images: readonly Resolved[],
  jobs: number,
  signal: AbortSignal,
): Promise<SealedLayer[][]> {
  const results: SealedLayer[][] = images.map(() => []);
  const work = images.flatMap(({ image, resolution }, i) =>
    image.plan.layers.map((layer, j) => ({
      image,
      layer,
      content: resolution.contents[j] as Resolution['contents'][number],
      i,
      j,
    })),
  );
  const isLight = ({ content, layer }: { content: Resolution['contents'][number]; layer: Layer }) =>
    content.kind === 'stored' && encodingOf(layer).kind === 'keep';
  const one = async (item: (typeof work)[number], _: number, inner: AbortSignal) => {
    (results[item.i] as SealedLayer[])[item.j] = await writer.write(
      item.image,
      item.layer,
      item.content,
      inner,
    );
  };
  const lanes = [
    work.filter(isLight),
    largestFirst(
      work.filter((item) => !isLight(item)),
      ({ image, content }) => packedBytes(image, sourcesOf(content)),
    ),
  ] as const;
  await mapParallel([0, 1] as const, 2, signal, (lane, _, inner) =>
    mapParallel(lanes[lane], lane === 0 ? adoptions : jobs, inner, one),
  );
  return results;
}

/** What takes longest begins first, so that it is not what everybody waits for at the end; small things go on beside it. */
function largestFirst<T>(items: readonly T[], sizeOf: (item: T) => number): T[] {
  return items.toSorted((a, b) => sizeOf(b) - sizeOf(a));
}

function isUnchanged(image: Image, all: readonly SealedLayer[]): boolean {
  const layers = all.filter((sealed) => sealed.kind !== 'dropped');
  const { labelling } = image.plan;
  if (Object.keys(labelling.annotations).length + Object.keys(labelling.labels).length > 0) return false;
  if (isUntouched(image) && layers.every(({ kind }) => kind === 'unchanged')) return true;
  return (
    layers.length === image.manifest.layers.length &&
    layers.every((layer, i) => layer.blob.digest === image.manifest.layers[i]?.digest)
  );
}

function gateSavings(
  required: number | null,
  images: readonly Resolved[],
  layers: readonly (readonly SealedLayer[])[],
): void {
  if (required === null) return;
  const before = images
    .flatMap(({ image }) => image.manifest.layers)
    .reduce((sum, { size }) => sum + size, 0);
  const after = layers.flat().reduce((sum, sealed) => sum + (blobOf(sealed)?.size ?? 0), 0);
  if (before - after >= before * required) return;
  const share = before === 0 ? 0 : (100 * (before - after)) / before;
  const change = share < 0 ? `grow by ${(-share).toFixed(1)} %` : `shrink by ${share.toFixed(1)} % only`;
  throw new OcislimError(
    'GATE',
    `the layers ${change}, but should shrink by ${(required * 100).toFixed(1)} %; nothing was published`,
  );
}

/** Returns OCI where a changed Docker image has a layer that its family has no media type for, with a warning; else null. */
function familyOfAll(
  set: ImageSet,
  images: readonly Resolved[],
  layers: readonly (readonly SealedLayer[])[],
  listener: Listener,
): Family | null {
  const [foreign] = images.flatMap(({ image }, i) => {
    const sealed = layers[i] as readonly SealedLayer[];
    if (isUnchanged(image, sealed)) return [];
    const used = image.plan.layers.map((layer, j) => compressionOf(image, layer, sealed[j] as SealedLayer));
    return used.filter((each) => each !== null && layerMediaType(image.manifest.family, each) === null);
  });
  if (foreign == null) return null;
  const what = set.index === null ? 'the manifest becomes' : 'the index and its manifests become';
  listener({
    type: 'warning',
    code: 'FAMILY_CHANGED',
    message: `${what} OCI: Docker's own format has no media type for ${foreign} layers (${readersOf(foreign)} read it)`,
  });
  return 'oci';
}

/** Each encoding once, without its threshold, which decides about no byte. */
function distinct(encodings: readonly PackedEncoding[]): PackedEncoding[] {
  const byText = new Map<string, PackedEncoding>();
  for (const encoding of encodings) {
    const plain = plainEncoding(encoding);
    byText.set(JSON.stringify(plain), plain);
  }
  return [...byText.values()];
}

export function describePlatform(outcome: ImageOutcome): string | null {
  return outcome.platform === null ? null : formatPlatform(outcome.platform);
}
