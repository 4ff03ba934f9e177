/**
 * Lists what differs between two images: their documents, and what their layers hold. `diff.ts` calls it for the images of one platform.
 */
import { blobsOf, downloadsOf, transferBytes } from '../../analyze/diff/downloads.ts';
import type {
  DiffedContents,
  DiffedImage,
  FileChange,
  LayerPair,
  PlatformDiff,
} from '../../analyze/diff/image-diff.ts';
import type { AspectTally } from '../../analyze/diff/verdict.ts';
import type { Image } from '../../image/image.ts';
import { inTurns } from '../../steps.ts';
import type { DiffOptions } from './diff.ts';
import { diffConfigs, diffHistories, diffManifests, diffRows } from './diff-documents.ts';
import { describeLayer, diffDescriptors, type PairedLayers, pairLayers, relate } from './diff-layers.ts';
import { diffStackSteps, type StackDiff, unread } from './diff-stacks.ts';
import type { PlatformImage } from './image-pairs.ts';
import type { DigestedStacks, LayerDigester, SideName } from './layer-digester.ts';

/** What the comparison of a pair of images needs beside them. */
export interface PairContext {
  readonly digester: LayerDigester;
  readonly options: DiffOptions;
  /** Notes the aspects in which these two differ. */
  readonly tally: AspectTally;
}

type Found = Omit<PlatformDiff, 'platform' | 'verdict'>;

const nothing = { paths: 0, bytes: 0 };
const noFiles: PlatformDiff['totals'] = {
  added: nothing,
  removed: nothing,
  changed: { paths: 0, bytesBefore: 0, bytesAfter: 0 },
  attributes: nothing,
};

/** Describes an image that one side alone has. */
export function oneSided(a: Image | null, b: Image | null, tally: AspectTally): Found {
  tally.note('platform');
  const describe = (image: Image | null) => (image === null ? null : describeImage(image, null));
  return {
    a: describe(a),
    b: describe(b),
    totals: noFiles,
    files: [],
    ...noDocuments,
    layers: [],
    packages: [],
    downloads: [],
  };
}

/** Compares two images. Their layers are read unless they have the same DiffIDs. */
export async function diffTwo(
  before: PlatformImage,
  after: PlatformImage,
  context: PairContext,
): Promise<Found> {
  const { digester, options, tally } = context;
  const [a, b] = [before.image, after.image];
  const isWhole = options.selection === null;
  const documents = isWhole ? diffDocuments(before, after, tally) : noDocuments;
  const stacks = await digester.digest(a, b, options.jobs, options.signal);
  const pairs = pairLayers(a, b);
  const steps = stacks === null ? null : diffStackSteps(stacks, pairs, context);
  const found = steps === null ? unread : await inTurns(steps, options.signal);
  const layers = pairs.map((pair) => describePair([a, b], pair, { stacks, found, tally, isWhole }));
  if (isWhole && a.descriptor.digest !== b.descriptor.digest && tally.size === 0) tally.note('json');
  return {
    a: describeImage(a, found.contents?.a ?? null),
    b: describeImage(b, found.contents?.b ?? null),
    totals: found.files?.totals() ?? noFiles,
    files: await changesOf(found, { a, b }, context),
    ...documents,
    layers,
    packages: found.packages,
    downloads: downloadsOf(blobsOf(a), blobsOf(b), (number) => found.newContents[number - 1] ?? null),
  };
}

/** Returns the paths that differ, with patches where they were asked for. */
async function changesOf(
  { files, rootfs }: StackDiff,
  images: Readonly<Record<SideName, Image>>,
  { digester, options: { patch, jobs, signal } }: PairContext,
): Promise<readonly FileChange[]> {
  if (files === null || rootfs === null) return [];
  if (!patch) return files.changes;
  const { withPatches } = await import('./diff-patches.ts');
  return withPatches({ images, rootfs, files }, { digester, jobs, signal });
}

type Documents = Pick<PlatformDiff, 'config' | 'history' | 'manifest'>;
const noDocuments: Documents = { config: [], history: [], manifest: [] };

function diffDocuments(before: PlatformImage, after: PlatformImage, tally: AspectTally): Documents {
  const [a, b] = [before.image, after.image];
  const descriptors = pairLayers(a, b).flatMap((pair) => diffDescriptors(a, b, pair, tally));
  const rows = before.row !== null && after.row !== null ? diffRows(before.row, after.row, tally) : [];
  return {
    config: diffConfigs(a.config, b.config, tally),
    history: diffHistories(a.config, b.config, tally),
    manifest: [...diffManifests(a, b, tally), ...descriptors, ...rows],
  };
}

function describeImage(image: Image, contents: DiffedContents | null): DiffedImage {
  const { descriptor, manifest, config } = image;
  const created = config.json['created'];
  return {
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    created: typeof created === 'string' ? created : null,
    transferBytes: transferBytes(blobsOf(image)),
    layers: manifest.layers.length,
    contents,
  };
}

interface PairFindings {
  readonly stacks: DigestedStacks | null;
  readonly found: StackDiff;
  readonly tally: AspectTally;
  readonly isWhole: boolean;
}

function describePair(
  [a, b]: readonly [Image, Image],
  pair: PairedLayers,
  { stacks, found, tally, isWhole }: PairFindings,
): LayerPair {
  const { relation, aspects } = relate(a, b, pair);
  const entries = pair.b === null ? null : found.entries.get(pair.b);
  const counted = isWhole ? aspects.filter((aspect) => tally.note(aspect)) : [];
  return {
    relation,
    a: pair.a === null ? null : describeLayer(a, pair.a, stacks?.a[pair.a - 1] ?? null),
    b: pair.b === null ? null : describeLayer(b, pair.b, stacks?.b[pair.b - 1] ?? null),
    aspects: [...counted, ...(entries?.aspects ?? [])],
    entries: entries?.entries ?? null,
  };
}
