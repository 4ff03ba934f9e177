/**
 * The face of the comparison of two images: what containers see of them, not how they are packed. It reads both places and writes
 * nothing; what a report announced as removed is passed in, and it knows no report.
 */
import { inTurns, type Steps } from '../../steps.ts';
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import { compareConfig } from './compare-config.ts';
import {
  type Announced,
  compareSteps,
  namePath,
  type RootfsComparison,
  rootfsSteps,
} from './compare-rootfs.ts';
import { type Difference, DifferenceList } from './difference.ts';
import { type ArtifactVerification, isShared } from './compare-artifacts.ts';
import { type DigestedStacks, LayerDigester } from './layer-digester.ts';
import {
  diffIdsOf,
  type ImagePair,
  isIdentical,
  nearSources,
  type PairOptions,
  platformName,
  readSets,
} from './image-pairs.ts';

export type { ArtifactVerification } from './compare-artifacts.ts';
export type { Difference } from './difference.ts';

/** The options of a comparison. No blob is read twice, so `maxScratch` is not used. */
export interface VerifyOptions extends PairOptions {
  /** Returns whether a path of A may be missing in B. A path that B has must be as in A, whatever this returns. */
  readonly allowed: (path: ByteString) => boolean;
  /** Returns whether a file may have other permission bits in B, by its path in a layer of A. Default: none may. */
  readonly allowedModes?: Announced['changedMode'];
  /** Returns whether a file may have other contents in B, each as length and digest. Default and null: none may. */
  readonly allowedContents?: Announced['changedContent'];
  /** Returns the name that stands for all files that may have become one with this one. Default: none may. */
  readonly allowedLinks?: Announced['linked'];
  /**
   * Whether times, the names of owners, and the times of sources in compiled modules of Python are not compared. Default: everything is.
   */
  readonly noiseless?: boolean;
}

/**
 * What was proved of B. `identical`: it is A, byte for byte. `same`: it has the same root filesystems and configs. `less`: it has
 * those of A, less or changed by what was announced. `different`: it is neither. `nothing`: neither has anything to compare, and they
 * are not identical.
 */
export type Verdict = 'identical' | 'same' | 'less' | 'different' | 'nothing';

/** The verdict on all platforms. */
export interface Verification {
  /** Whether it was proved that B is A, or A less what was announced. */
  readonly equal: boolean;
  readonly verdict: Verdict;
  readonly platforms: readonly PlatformVerification[];
  /** What is not an image: compared by digest. */
  readonly artifacts: readonly ArtifactVerification[];
}

export interface PlatformVerification {
  /** The platform; null for an image that states none. */
  readonly platform: string | null;
  /** Whether all layers of both unpack to the same bytes (DiffIDs), so that no path had to be compared. */
  readonly sameLayers: boolean;
  /** The number of visible paths that both have. */
  readonly compared: number;
  /** The first thousand differences. */
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  /** The number of paths that are missing in B and may be. */
  readonly allowedMissing: number;
  /** The number of files that have lost permission bits, have other contents, or became one with another, as was announced. */
  readonly allowedChanges: number;
}

const maxDifferences = 1000;

/**
 * Proves that image B is image A, or A without the paths allowed: the merged root filesystem in every attribute of every visible
 * path, and the config that a container depends on. Blobs are read to their end and must have the digest, size and DiffID stated;
 * a blob of both images is read once, from B. If the layers of both have the same DiffIDs, paths are not compared, and only blobs
 * that are packed in different ways are read. Index, manifest and history may differ. What is not an image (attestations, artifacts)
 * is compared by digest.
 * @throws UNSUPPORTED for an artifact beside an image, and the errors of reading an image
 */
export async function verifyImages(given: VerifyOptions): Promise<Verification> {
  const options = { ...given, ...nearSources(given) };
  const sets = await readSets(options);
  const { artifacts, pairs } = sets;
  const digester = new LayerDigester(options);
  const results: PlatformVerification[] = [];
  for (const [i, pair] of pairs.entries()) {
    results.push(await verifyPair(pair, digester, options));
    digester.keepOnly(diffIdsOf(pairs.slice(i + 1)));
  }
  const verdict = isIdentical(sets) ? 'identical' : verdictOf(results, artifacts);
  return { equal: verdict !== 'different' && verdict !== 'nothing', verdict, platforms: results, artifacts };
}

function verdictOf(
  platforms: readonly PlatformVerification[],
  artifacts: readonly ArtifactVerification[],
): Verdict {
  const isDifferent = platforms.some(({ differenceCount }) => differenceCount > 0);
  if (isDifferent || artifacts.some(({ isDifference }) => isDifference)) return 'different';
  if (platforms.length === 0 && !artifacts.some(isShared)) return 'nothing';
  const isLess = platforms.some(({ allowedMissing, allowedChanges }) => allowedMissing + allowedChanges > 0);
  return isLess ? 'less' : 'same';
}

const nothingCompared: RootfsComparison = { compared: 0, allowedMissing: 0, allowedChanges: 0 };

async function verifyPair(
  { a, b }: ImagePair,
  digester: LayerDigester,
  options: VerifyOptions,
): Promise<PlatformVerification> {
  const platform = platformName((a ?? b)?.platform ?? null);
  const differences = new DifferenceList(maxDifferences);
  const result = (comparison: RootfsComparison, sameLayers: boolean): PlatformVerification => ({
    platform,
    sameLayers,
    ...comparison,
    differences: differences.kept,
    differenceCount: differences.count,
  });
  if (a === null || b === null) {
    const [image, nothing] = [platform ?? 'an image', 'no such image'];
    differences.add({
      path: noBytes,
      what: 'platform',
      a: a === null ? nothing : image,
      b: b === null ? nothing : image,
    });
    return result(nothingCompared, false);
  }
  compareConfig(a.image.config, b.image.config, differences);
  const stacks = await digester.digest(a.image, b.image, options.jobs, options.signal);
  if (stacks === null) return result(nothingCompared, true);
  return result(await inTurns(stackSteps(stacks, options, differences), options.signal), false);
}

function* stackSteps(
  stacks: DigestedStacks,
  options: VerifyOptions,
  differences: DifferenceList,
): Steps<RootfsComparison> {
  const both = yield* rootfsSteps(
    { label: options.a.label, layers: stacks.a },
    { label: options.b.label, layers: stacks.b },
  );
  const announced = {
    missing: options.allowed,
    changedMode: options.allowedModes ?? (() => false),
    changedContent: options.allowedContents ?? null,
    linked: options.allowedLinks ?? (() => null),
  };
  return yield* compareSteps(both, announced, ({ id, differences: found }) => {
    const path = namePath(both, id);
    for (const each of found) differences.add({ path, ...each });
  });
}
