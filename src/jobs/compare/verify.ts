/**
 * The face of the comparison of two images: what containers see of them, not how they are packed. It reads both places and writes
 * nothing; what a report announced as removed is passed in, and it knows no report.
 */
import { OcislimError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import { formatPlatform, matchesPlatform, type Platform } from '../../oci/platform.ts';
import { CachedSource } from '../../store/cache/cached-source.ts';
import type { Source } from '../../place/place.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { inTurns } from '../../steps.ts';
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import { compareConfig } from './compare-config.ts';
import { type Announced, compareSteps, type RootfsComparison } from './compare-rootfs.ts';
import { type Difference, DifferenceList } from './difference.ts';
import { imageMembers, type ImageSet, platformOf, readImageSet } from '../image-set.ts';
import { type ArtifactVerification, compareArtifacts, isShared } from './compare-artifacts.ts';
import { LayerDigester } from './layer-digester.ts';
import type { RunOptions } from '../rewrite/run.ts';

export type { ArtifactVerification } from './compare-artifacts.ts';
export type { Difference } from './difference.ts';

/** The options of a comparison. No blob is read twice, so `maxScratch` is not used. */
export interface VerifyOptions
  extends Pick<RunOptions, 'platforms' | 'jobs' | 'maxScratch' | 'cache' | 'limits' | 'listener' | 'signal'> {
  readonly a: Source;
  readonly b: Source;
  /** Returns whether a path of A may be missing in B. A path that B has must be as in A, whatever this returns. */
  readonly allowed: (path: ByteString) => boolean;
  /** Returns whether a file may have other permission bits in B, by its path in a layer of A. Default: none may. */
  readonly allowedModes?: Announced['changedMode'];
  /** Returns the name that stands for all files that may have become one with this one. Default: none may. */
  readonly allowedLinks?: Announced['linked'];
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
  /** The number of files that have lost permission bits, or became one with another, as was announced. */
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
  const { cache = null } = given;
  const near = (source: Source) => (cache === null ? source : new CachedSource(source, cache));
  const options = { ...given, a: near(given.a), b: near(given.b) };
  const { a, b, platforms, limits, signal } = options;
  const [before, after] = (await mapParallel([a, b], 2, signal, (source, _, inner) =>
    readImageSet(source, { platforms, limits, signal: inner }),
  )) as [ImageSet, ImageSet];
  const sides = [imagesOf(before), imagesOf(after)] as const;
  const artifacts = compareArtifacts(before, after);
  if (sides.some((images) => images.length > 0)) requireImages([before, after], options);
  const pairs = pairUp(...sides);
  const digester = new LayerDigester(a, b, options.listener, limits);
  const results: PlatformVerification[] = [];
  for (const [i, pair] of pairs.entries()) {
    results.push(await verifyPair(pair, digester, options));
    const later = pairs.slice(i + 1).flatMap(({ a, b }) => [a, b]);
    digester.keepOnly(later.flatMap((one) => one?.image.config.diffIds ?? []));
  }
  const isIdentical =
    before.root.descriptor.digest === after.root.descriptor.digest ||
    ((before.narrowed || after.narrowed) && pairs.every(hasOneDigest) && artifacts.every(isShared));
  const verdict = isIdentical ? 'identical' : verdictOf(results, artifacts);
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

interface PlatformImage {
  readonly platform: Platform | null;
  readonly image: Image;
}

function imagesOf(set: ImageSet): PlatformImage[] {
  return imageMembers(set).map((member) => ({ image: member.image, platform: platformOf(member) }));
}

/** @throws UNSUPPORTED where one side has images and the other has artifacts alone */
function requireImages(sides: readonly ImageSet[], { a, b }: VerifyOptions): void {
  const without = [a, b].find((_, i) => {
    const set = sides[i] as ImageSet;
    return set.members.length > 0 && imageMembers(set).length === 0;
  });
  if (without === undefined) return;
  throw new OcislimError('UNSUPPORTED', `${without.label} is not an image but an artifact of another kind`);
}

interface Pair {
  readonly a: PlatformImage | null;
  readonly b: PlatformImage | null;
}

/** Pairs images by platform. Two single images are a pair on any platforms: a difference of those shows in their configs. */
function pairUp(a: readonly PlatformImage[], b: readonly PlatformImage[]): readonly Pair[] {
  const [onlyA = null] = a;
  const [onlyB = null] = b;
  if (a.length === 1 && b.length === 1) return [{ a: onlyA, b: onlyB }];
  const left = new Set(b);
  const found = new Map<PlatformImage, PlatformImage>();
  for (const fits of [isOneManifest, isSame, isSimilar]) {
    for (const one of a) {
      const other = found.has(one) ? undefined : [...left].find((candidate) => fits(one, candidate));
      if (other === undefined) continue;
      found.set(one, other);
      left.delete(other);
    }
  }
  return [
    ...a.map((one) => ({ a: one, b: found.get(one) ?? null })),
    ...[...left].map((one) => ({ a: null, b: one })),
  ];
}

/** Several images may be for one platform, packed in different ways. */
function isOneManifest(a: PlatformImage, b: PlatformImage): boolean {
  return isSame(a, b) && a.image.descriptor.digest === b.image.descriptor.digest;
}

function hasOneDigest({ a, b }: Pair): boolean {
  return a !== null && a.image.descriptor.digest === b?.image.descriptor.digest;
}

function isSame({ platform: a }: PlatformImage, { platform: b }: PlatformImage): boolean {
  return platformName(a) === platformName(b);
}

/** Returns whether two platforms may be the same: an index may omit the variant that a config states, and vice versa. */
function isSimilar({ platform: a }: PlatformImage, { platform: b }: PlatformImage): boolean {
  return a !== null && b !== null && (matchesPlatform(a, b) || matchesPlatform(b, a));
}

function platformName(platform: Platform | null): string | null {
  return platform === null ? null : formatPlatform(platform);
}

const nothingCompared: RootfsComparison = { compared: 0, allowedMissing: 0, allowedChanges: 0 };

async function verifyPair(
  { a, b }: Pair,
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
  const steps = compareSteps(
    { label: options.a.label, layers: stacks.a },
    { label: options.b.label, layers: stacks.b },
    {
      missing: options.allowed,
      changedMode: options.allowedModes ?? (() => false),
      linked: options.allowedLinks ?? (() => null),
    },
    differences,
  );
  return result(await inTurns(steps, options.signal), false);
}
