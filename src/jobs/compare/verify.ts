/**
 * The face of the comparison of two images: what containers see of them, not how they are packed. It reads both places and writes
 * nothing; what a report announced as removed is passed in, and it knows no report.
 */
import { OcislimError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import type { Limits } from '../../limits.ts';
import { formatPlatform, matchesPlatform, type Platform } from '../../oci/platform.ts';
import { CachedSource } from '../../store/cache/cached-source.ts';
import type { Source } from '../../place/place.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import { compareConfig } from './compare-config.ts';
import { type Announced, compareRootfs } from './compare-rootfs.ts';
import { type Difference, DifferenceList } from './difference.ts';
import { readImageSet } from '../image-set.ts';
import { LayerDigester } from './layer-digester.ts';
import type { RunOptions } from '../rewrite/run.ts';

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

/** The verdict on all platforms. */
export interface Verification {
  /** Whether no platform has a difference. */
  readonly equal: boolean;
  readonly platforms: readonly PlatformVerification[];
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
}

const maxDifferences = 1000;

/**
 * Proves that image B is image A, or A without the paths allowed: the merged root filesystem in every attribute of every visible
 * path, and the config that a container depends on. Blobs are read to their end and must have the digest, size and DiffID stated;
 * a blob of both images is read once, from B. If the layers of both have the same DiffIDs, paths are not compared, and only blobs
 * that are packed in different ways are read. Index, manifest and history may differ. Attestations are ignored.
 * @throws UNSUPPORTED for an artifact that is not an image, and the errors of reading an image
 */
export async function verifyImages(given: VerifyOptions): Promise<Verification> {
  const { cache = null } = given;
  const near = (source: Source) => (cache === null ? source : new CachedSource(source, cache));
  const options = { ...given, a: near(given.a), b: near(given.b) };
  const { a, b, platforms, limits, signal } = options;
  const images = await mapParallel([a, b], 2, signal, (source, _, inner) =>
    readImages(source, platforms, limits, inner),
  );
  const [before = [], after = []] = images;
  const pairs = pairUp(before, after);
  const digester = new LayerDigester(a, b, options.listener, limits);
  const results: PlatformVerification[] = [];
  for (const [i, pair] of pairs.entries()) {
    results.push(await verifyPair(pair, digester, options));
    const later = pairs.slice(i + 1).flatMap(({ a, b }) => [a, b]);
    digester.keepOnly(later.flatMap((one) => one?.image.config.diffIds ?? []));
  }
  return { equal: results.every(({ differenceCount }) => differenceCount === 0), platforms: results };
}

interface PlatformImage {
  readonly platform: Platform | null;
  readonly image: Image;
}

async function readImages(
  source: Source,
  platforms: readonly Platform[],
  limits: Limits | undefined,
  signal: AbortSignal,
): Promise<PlatformImage[]> {
  const { members } = await readImageSet(source, { platforms, limits, signal });
  const images = members.flatMap(({ image, child }) =>
    image === null ? [] : [{ image, platform: child?.platform ?? image.config.platform }],
  );
  if (images.length === 0)
    throw new OcislimError('UNSUPPORTED', `${source.label} is not an image but an artifact of another kind`);
  return images;
}

interface Pair {
  readonly a: PlatformImage | null;
  readonly b: PlatformImage | null;
}

/** Pairs images by platform. Two single images are a pair on any platforms: a difference of those shows in their configs. */
function pairUp(a: readonly PlatformImage[], b: readonly PlatformImage[]): Pair[] {
  const [onlyA = null] = a;
  const [onlyB = null] = b;
  if (a.length === 1 && b.length === 1) return [{ a: onlyA, b: onlyB }];
  const left = new Set(b);
  const found = new Map<PlatformImage, PlatformImage>();
  for (const fits of [isSame, isSimilar]) {
    for (const one of a) {
      const other = found.has(one)
        ? undefined
        : [...left].find((candidate) => fits(one.platform, candidate.platform));
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

function isSame(a: Platform | null, b: Platform | null): boolean {
  return platformName(a) === platformName(b);
}

/** Returns whether two platforms may be the same: an index may omit the variant that a config states, and vice versa. */
function isSimilar(a: Platform | null, b: Platform | null): boolean {
  return a !== null && b !== null && (matchesPlatform(a, b) || matchesPlatform(b, a));
}

function platformName(platform: Platform | null): string | null {
  return platform === null ? null : formatPlatform(platform);
}

async function verifyPair(
  { a, b }: Pair,
  digester: LayerDigester,
  options: VerifyOptions,
): Promise<PlatformVerification> {
  const platform = platformName((a ?? b)?.platform ?? null);
  const differences = new DifferenceList(maxDifferences);
  const result = (compared: number, allowedMissing: number, sameLayers: boolean): PlatformVerification => ({
    platform,
    sameLayers,
    compared,
    differences: differences.kept,
    differenceCount: differences.count,
    allowedMissing,
  });
  if (a === null || b === null) {
    const [image, nothing] = [platform ?? 'an image', 'no such image'];
    differences.add({
      path: noBytes,
      what: 'platform',
      a: a === null ? nothing : image,
      b: b === null ? nothing : image,
    });
    return result(0, 0, false);
  }
  compareConfig(a.image.config, b.image.config, differences);
  const stacks = await digester.digest(a.image, b.image, options.jobs, options.signal);
  if (stacks === null) return result(0, 0, true);
  const { compared, allowedMissing } = compareRootfs(
    { label: options.a.label, layers: stacks.a },
    { label: options.b.label, layers: stacks.b },
    {
      missing: options.allowed,
      changedMode: options.allowedModes ?? (() => false),
      linked: options.allowedLinks ?? (() => null),
    },
    differences,
  );
  return result(compared, allowedMissing, false);
}
