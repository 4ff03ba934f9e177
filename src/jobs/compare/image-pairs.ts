/**
 * Reads what two references name, and pairs their images by platform. `verify.ts` and `diff.ts` begin here.
 */
import { OcislimError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import type { JsonObject } from '../../oci/json.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform, matchesPlatform, type Platform } from '../../oci/platform.ts';
import type { Source } from '../../place/place.ts';
import { CachedSource } from '../../store/cache/cached-source.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { isZstdRow } from '../../oci/variants.ts';
import { imageMembers, type ImageSet, platformOf, readImageSet } from '../image-set.ts';
import type { RunOptions } from '../rewrite/run.ts';
import { type ArtifactVerification, compareArtifacts, isShared } from './compare-artifacts.ts';

/** What every comparison of two images takes. */
export interface PairOptions
  extends Pick<RunOptions, 'platforms' | 'jobs' | 'maxScratch' | 'cache' | 'limits' | 'listener' | 'signal'> {
  readonly a: Source;
  readonly b: Source;
}

/** What two references name. */
export interface ComparedSets {
  readonly before: ImageSet;
  readonly after: ImageSet;
  /** What is not an image: compared by digest. */
  readonly artifacts: readonly ArtifactVerification[];
  readonly pairs: readonly ImagePair[];
}

/** The images of one platform. At least one side has one. */
export interface ImagePair {
  readonly a: PlatformImage | null;
  readonly b: PlatformImage | null;
}

/** Returns the sources as they are read through the cache. */
export function nearSources({ a, b, cache = null }: PairOptions): Pick<PairOptions, 'a' | 'b'> {
  const near = (source: Source) => (cache === null ? source : new CachedSource(source, cache));
  return { a: near(a), b: near(b) };
}

/** Reads both sets and pairs their images. @throws UNSUPPORTED for an artifact beside an image, and what reading manifests throws */
export async function readSets(options: PairOptions): Promise<ComparedSets> {
  const { a, b, platforms, limits, signal } = options;
  const [before, after] = (await mapParallel([a, b], 2, signal, (source, _, inner) =>
    readImageSet(source, { platforms, limits, signal: inner }),
  )) as [ImageSet, ImageSet];
  const sides = [imagesOf(before), imagesOf(after)] as const;
  if (sides.some((images) => images.length > 0)) requireImages([before, after], options);
  return { before, after, artifacts: compareArtifacts(before, after), pairs: pairUp(...sides) };
}

/** Returns whether two sets are the same bytes, as far as platforms were selected. */
export function isIdentical({ before, after, artifacts, pairs }: ComparedSets): boolean {
  if (before.root.descriptor.digest === after.root.descriptor.digest) return true;
  return (before.narrowed || after.narrowed) && pairs.every(hasOneDigest) && artifacts.every(isShared);
}

/** Returns the DiffIDs of all images of some pairs. */
export function diffIdsOf(pairs: readonly ImagePair[]): readonly Digest[] {
  return pairs.flatMap(({ a, b }) => [a, b]).flatMap((one) => one?.image.config.diffIds ?? []);
}

/** Returns the name of a platform; null for an image that states none. */
export function platformName(platform: Platform | null): string | null {
  return platform === null ? null : formatPlatform(platform);
}

/** An image of a set with its platform. */
export interface PlatformImage {
  readonly platform: Platform | null;
  readonly image: Image;
  /** Its row in the index; null without an index. */
  readonly row: JsonObject | null;
}

function imagesOf(set: ImageSet): PlatformImage[] {
  return imageMembers(set).map((member) => ({
    image: member.image,
    platform: platformOf(member),
    row: member.child?.descriptor.json ?? null,
  }));
}

/** @throws UNSUPPORTED where one side has images and the other has artifacts alone */
function requireImages(sides: readonly ImageSet[], { a, b }: PairOptions): void {
  const without = [a, b].find((_, i) => {
    const set = sides[i] as ImageSet;
    return set.members.length > 0 && imageMembers(set).length === 0;
  });
  if (without === undefined) return;
  throw new OcislimError('UNSUPPORTED', `${without.label} is not an image but an artifact of another kind`);
}

/** Pairs images by platform. Two single images are a pair on any platforms: a difference of those shows in their configs. */
function pairUp(a: readonly PlatformImage[], b: readonly PlatformImage[]): readonly ImagePair[] {
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
    ...a.map((one) => ({ a: one, b: found.get(one) ?? besideVariant(one, a, b) })),
    ...[...left].map((one) => ({ a: besideVariant(one, b, a), b: one })),
  ];
}

/** Returns the image for the platform of one that its own side has in gzip and in zstd, and the other side in one of them: it is the same image. */
function besideVariant(
  one: PlatformImage,
  own: readonly PlatformImage[],
  others: readonly PlatformImage[],
): PlatformImage | null {
  const isVaried = own.some((each) => isSame(each, one) && isZstdRow(each.row) !== isZstdRow(one.row));
  return isVaried ? (others.find((other) => isSame(one, other)) ?? null) : null;
}

/** Several images may be for one platform, packed in different ways. */
function isOneManifest(a: PlatformImage, b: PlatformImage): boolean {
  return isSame(a, b) && a.image.descriptor.digest === b.image.descriptor.digest;
}

function hasOneDigest({ a, b }: ImagePair): boolean {
  return a !== null && a.image.descriptor.digest === b?.image.descriptor.digest;
}

function isSame({ platform: a }: PlatformImage, { platform: b }: PlatformImage): boolean {
  return platformName(a) === platformName(b);
}

/** Returns whether two platforms may be the same: an index may omit the variant that a config states, and vice versa. */
function isSimilar({ platform: a }: PlatformImage, { platform: b }: PlatformImage): boolean {
  return a !== null && b !== null && (matchesPlatform(a, b) || matchesPlatform(b, a));
}
