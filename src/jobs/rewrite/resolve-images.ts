/**
 * Reads the headers that the plans of a run need, and resolves what each layer of the new images will hold. A plan that
 * changes no contents reads nothing, and does not load the algebra.
 */
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { type Image, type Layer, layerOf } from '../../image/image.ts';
import type { Gathering } from '../../layers/read/gathering.ts';
import type { ContentProbe, LayerFacts } from '../../rootfs/facts/facts.ts';
import type { Resolution, ResolvedContent } from '../../slim/resolve/resolve.ts';
import { layersToScan, untouched } from '../../slim/resolve/untouched.ts';
import { inTurns } from '../../steps.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { timeOf } from './history.ts';
import { largestFirst } from './largest-first.ts';
import type { PlannedImage, ResolvedImage, ResolvedLayer } from './records.ts';
import type { RunContext } from './run.ts';

/** What of a run the resolution needs. */
export type ResolveContext = Pick<
  RunContext,
  'reader' | 'jobs' | 'signal' | 'epoch' | 'digests' | 'components'
>;

/** What the layers of one image said, by number of the source layer. */
interface Scanned {
  readonly indexes: Map<number, LayerIndex>;
  readonly facts: Map<number, LayerFacts>;
  /** The layers whose files were looked into. */
  readonly looked: Set<number>;
}

/** Resolves one image after the other. @throws what reading and resolving throw */
export function resolveImages(
  images: readonly PlannedImage[],
  context: ResolveContext,
): Promise<ResolvedImage[]> {
  return mapParallel(images, 1, context.signal, (image, _, signal) =>
    resolveImage(image, { ...context, signal }),
  );
}

/** What a scan learns of a previous version: what its entries are. */
const ofPrevious: Gathering = { probe: null, digests: false, twins: false, identities: 'whole' };

async function resolveImage(planned: PlannedImage, context: ResolveContext): Promise<ResolvedImage> {
  const { image } = planned;
  const scanned: Scanned = { indexes: new Map(), facts: new Map(), looked: new Set() };
  const wanted = layersToScan(image);
  const resolved =
    wanted.length === 0 && image.original === null
      ? untouched(image)
      : await resolveByHeaders(image, wanted, scanned, context);
  const resolution = await withPlaces(image, resolved, scanned, context);
  return { ...planned, resolution, ...scanned, layers: layersOf(image, resolution.contents) };
}

/** Pairs the new layers with those of the plan. Several layers may be made of one of them. */
function layersOf({ plan }: Image, contents: readonly ResolvedContent[]): readonly ResolvedLayer[] {
  let at = -1;
  return contents.map((content) => {
    const isFurther = content.kind === 'edited' && content.part !== undefined && content.part.number > 1;
    if (!isFurther) at++;
    return { layer: plan.layers[at] as Layer, content };
  });
}

/** Places the new layers of an image, by what its headers say. What does that is loaded only where there are some. */
async function withPlaces(
  image: Image,
  resolution: Resolution,
  scanned: Scanned,
  context: ResolveContext,
): Promise<Resolution> {
  if (!image.plan.layers.some(({ content }) => content.kind === 'added')) return resolution;
  const { layersToPlaceOn, placeAdditions } = await import('./place-additions.ts');
  await scan(image, layersToPlaceOn(image), { gathering: null, scanned }, context);
  const contents = await placeAdditions(image, resolution.contents, scanned.indexes, context.signal);
  return { ...resolution, contents };
}

/** Scans the layers wanted, and whatever further ones the resolution asks for, into `scanned`. */
async function resolveByHeaders(
  image: Image,
  first: readonly number[],
  scanned: Scanned,
  context: ResolveContext,
): Promise<Resolution> {
  let gathering = await gatheringFor(image, context);
  const { resolveSteps } = await import('../../slim/resolve/resolve.ts');
  for (let wanted = first; ; ) {
    const own = image.previous === null ? Number.POSITIVE_INFINITY : image.manifest.layers.length;
    const isOwn = (number: number): boolean => number <= own;
    await scan(image, wanted.filter(isOwn), { gathering, scanned }, context);
    // Layers of both versions are scanned by now, with all that is asked of the image.
    const further = wanted.filter((number) => !isOwn(number));
    await scan(image, further, { gathering: ofPrevious, scanned }, context);
    const steps = resolveSteps({
      image,
      indexes: new Map([...scanned.indexes].sort(([a], [b]) => a - b)),
      mtimeOf: (range) => timeOf(image, range, context.epoch),
      facts: scanned.facts,
      looked: scanned.looked,
    });
    const result = await inTurns(steps, context.signal);
    if (result.kind === 'resolved') return result.resolution;
    wanted = result.layers;
    if (result.kind !== 'looks') continue;
    // These layers are read once more, and only they.
    for (const layer of wanted) scanned.indexes.delete(layer);
    const { contentProbe } = await import('../../closure/close-image.ts');
    const given = gathering?.probe ?? (() => 0);
    const probe: ContentProbe = (path) => Math.max(contentProbe(path), given(path));
    gathering = { digests: false, twins: false, ...gathering, probe, programs: true };
  }
}

/** Scans those of the layers that have not been scanned yet, the largest first. */
async function scan(
  image: Image,
  wanted: readonly number[],
  { gathering, scanned }: { readonly gathering: Gathering | null; readonly scanned: Scanned },
  { reader, jobs, signal }: ResolveContext,
): Promise<void> {
  const missing = largestFirst(
    wanted.filter((number) => !scanned.indexes.has(number)),
    (number) => layerOf(image, number).descriptor.size,
  );
  const scans = await mapParallel(missing, jobs, signal, async (number, _, inner) => ({
    number,
    ...(await reader.scan(image, number, gathering, inner)),
  }));
  for (const { number, index, facts } of scans) {
    scanned.indexes.set(number, index);
    scanned.facts.set(number, facts);
    if (gathering?.probe != null && gathering.programs !== false) scanned.looked.add(number);
  }
}

/**
 * Returns what a scan must gather of the files. Facts cost a look into every file, so they are gathered only where something
 * is decided by them, or where the report is to have them.
 */
async function gatheringFor(
  image: Image,
  { digests = false, components = false }: ResolveContext,
): Promise<Gathering | null> {
  const { prunings, arrangements, relayering } = image.plan;
  const twins = arrangements.some(({ hardlinks }) => hardlinks);
  const traced = prunings.some(({ trace }) => trace !== null);
  const synced = prunings.some(({ packageDb }) => packageDb === 'sync');
  const removes = traced || synced || prunings.some(({ rules }) => rules.length > 0);
  const listed = components && prunings.length > 0;
  const laid = relayering !== null;
  if (!traced && !synced && !listed && !laid && !twins && !(digests && removes)) return null;
  return {
    probe: await probeFor({ traced, synced, listed, laid }),
    digests: digests && removes,
    twins,
    // What only lists packages need not look into programs.
    ...(listed || laid ? { parts: listed, programs: traced || synced } : {}),
    identities: relayering === null ? null : relayering.noise === 'adopt' ? 'whole' : 'quick',
  };
}

/** Returns which contents a pruning reads: those of the closure, of package databases, and of what scanners know; null for none. */
async function probeFor(
  wanted: Readonly<Record<'traced' | 'synced' | 'listed' | 'laid', boolean>>,
): Promise<ContentProbe | null> {
  const probes: ContentProbe[] = [];
  if (wanted.traced || wanted.synced)
    probes.push((await import('../../closure/close-image.ts')).contentProbe);
  if (wanted.synced) probes.push((await import('../../rootfs/packages/distribution.ts')).distributionProbe);
  if (wanted.laid) probes.push((await import('../../slim/resolve/divide-image.ts')).laidProbe);
  if (wanted.listed) probes.push((await import('../../rootfs/packages/component-index.ts')).componentProbe);
  if (probes.length === 0) return null;
  return (path) => probes.reduce((most, probe) => Math.max(most, probe(path)), 0);
}
