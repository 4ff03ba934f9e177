/**
 * The face of the comparison that lists everything: what differs between the images of two references, for each platform. It reads both
 * places, each blob once, and writes nothing; the engine is that of `verify.ts`.
 */
import type {
  ArtifactChange,
  DiffedReference,
  Ignorable,
  ImageDiff,
  PlatformDiff,
} from '../../analyze/diff/image-diff.ts';
import { AspectTally } from '../../analyze/diff/verdict.ts';
import type { Path } from '../../bytes/path.ts';
import type { Source } from '../../place/place.ts';
import { componentProbe } from '../../rootfs/packages/component-index.ts';
import { Scratch } from '../../files/scratch.ts';
import type { ImageSet } from '../image-set.ts';
import { diffIndexes } from './diff-documents.ts';
import { diffTwo, oneSided, type PairContext } from './diff-pair.ts';
import {
  type ComparedSets,
  diffIdsOf,
  type ImagePair,
  isIdentical,
  nearSources,
  type PairOptions,
  platformName,
  readSets,
} from './image-pairs.ts';
import { LayerDigester } from './layer-digester.ts';

export interface DiffOptions extends PairOptions {
  /** The aspects that neither count nor are listed. */
  readonly ignored: readonly Ignorable[];
  /** Selects paths, by globs that `paths` shows to the user. Then nothing but these paths counts. Null: all. */
  readonly selection: PathSelection | null;
  /** Whether to list the entries of layers that differ. */
  readonly layers: boolean;
  /** Whether to make unified diffs of small texts: the layers concerned are read once more. */
  readonly patch: boolean;
}

export interface PathSelection {
  readonly globs: readonly string[];
  readonly matches: (path: Path) => boolean;
}

/**
 * Lists everything that differs between the images of two references, paired by platform. Blobs are read to their end and must have
 * the digest, size and DiffID stated; a blob of both is read once. Of two images whose layers have the same DiffIDs only blobs that are
 * packed in different ways are read.
 * @throws UNSUPPORTED for an artifact beside an image, and the errors of reading an image
 */
export async function diffImages(given: DiffOptions): Promise<ImageDiff> {
  const options = { ...given, ...nearSources(given) };
  const sets = await readSets(options);
  const { pairs } = sets;
  const gathering = { probe: componentProbe, digests: false, twins: false, programs: false, parts: true };
  // Only what is read twice is worth a copy.
  await using scratch = new Scratch(options.patch ? options.maxScratch : 0);
  const digester = new LayerDigester({ ...options, forms: true, gathering, scratch });
  const tally = new AspectTally(options.ignored);
  const platforms: PlatformDiff[] = [];
  for (const [i, pair] of pairs.entries()) {
    platforms.push(await diffPair(pair, { digester, options, whole: tally }));
    digester.keepOnly(diffIdsOf(pairs.slice(i + 1)));
  }
  const isWhole = options.selection === null;
  const index = isWhole ? diffIndexes(sets.before, sets.after, tally) : [];
  const artifacts = isWhole ? artifactsOf(sets, tally) : [];
  if (isWhole && !isIdentical(sets) && tally.size === 0) tally.note('json');
  return {
    a: describeSet(options.a, sets.before),
    b: describeSet(options.b, sets.after),
    verdict: tally.verdict(),
    ignored: options.ignored,
    paths: options.selection?.globs ?? [],
    platforms,
    index,
    artifacts,
  };
}

function describeSet({ label }: Source, { root: { descriptor } }: ImageSet): DiffedReference {
  return { name: label, digest: descriptor.digest, mediaType: descriptor.mediaType };
}

function artifactsOf({ artifacts }: ComparedSets, tally: AspectTally): readonly ArtifactChange[] {
  return artifacts
    .filter(({ found }) => found !== 'both' && tally.note('artifacts'))
    .map(({ digest, type, found }) => ({ digest, type, change: found === 'a' ? 'removed' : 'added' }));
}

async function diffPair(
  { a, b }: ImagePair,
  { whole, ...context }: Omit<PairContext, 'tally'> & { readonly whole: AspectTally },
): Promise<PlatformDiff> {
  const tally = new AspectTally(context.options.ignored);
  const platform = platformName((a ?? b)?.platform ?? null);
  const found =
    a === null || b === null
      ? oneSided(a?.image ?? null, b?.image ?? null, tally)
      : await diffTwo(a, b, { ...context, tally });
  whole.add(tally);
  return { platform, ...found, verdict: tally.verdict() };
}
