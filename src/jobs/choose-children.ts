/**
 * Chooses the images of an index by --platform. What the rows of the index say decides, before anything else is fetched, so that
 * children that are missing or broken do not matter. image-set.ts calls it.
 */
import { OcislimError } from '../errors.ts';
import type { Listener } from '../events.ts';
import { isAttestation } from '../oci/attestation.ts';
import type { IndexChild } from '../oci/manifest.ts';
import { isIndexType, isManifestType } from '../oci/media-type.ts';
import { formatPlatform, parsePlatform, type Platform } from '../oci/platform.ts';
import { bestMatches, isExact } from '../oci/platform-choice.ts';
import { areVariants, withoutVariants } from '../oci/variants.ts';

/** A child of an index, and the platform that its row or its config states. */
export interface PlacedChild {
  readonly child: IndexChild;
  readonly platform: Platform;
}

export interface ChoiceOptions {
  /** What messages call the index. */
  readonly label: string;
  /** Whether of an image that is packed in two ways both are taken, or the one that every client reads. */
  readonly variants: 'all' | 'one';
  /** The platforms wanted, at least one. */
  readonly wanted: readonly Platform[];
  /** Reads the platforms of children whose rows state none. Asked only where no row is for a platform wanted. */
  readonly readPlatforms: (children: readonly IndexChild[]) => Promise<readonly PlacedChild[]>;
  readonly listener: Listener;
}

/**
 * Returns the child for each platform that is wanted: the best one, with its variant in zstd, and of several equal ones the first, with a warning.
 * @throws NOT_FOUND where no image is for a platform
 */
export async function chooseChildren(
  children: readonly IndexChild[],
  { label, variants, wanted, readPlatforms, listener }: ChoiceOptions,
): Promise<ReadonlySet<IndexChild>> {
  const images = withoutVariantsOf(children.filter(mayBeImage), variants);
  let placed = images.flatMap((child) =>
    child.platform === null ? [] : [{ child, platform: child.platform }],
  );
  const unplaced = images.filter(({ platform }) => platform === null);
  if (unplaced.length > 0 && wanted.some((platform) => best(platform, placed).length === 0))
    placed = [...placed, ...(await readPlatforms(unplaced))];
  const taken = new Set(wanted.flatMap((platform) => best(platform, placed).filter(isExactFor(platform))));
  const chosen = wanted.flatMap((platform) => {
    const [first, ...others] = best(platform, placed);
    // Of several platforms, one is not there if its substitute is what another one gets.
    const isTaken = first !== undefined && !isExactFor(platform)(first) && taken.has(first);
    if (first === undefined || isTaken) throw notThere(label, platform, placed);
    taken.add(first);
    const tied = [first, ...others].map(({ child }) => child);
    if (areVariants(tied)) return tied;
    warnOfTie(label, platform, [first, ...others], listener);
    return [first.child];
  });
  return new Set(chosen);
}

/**
 * Returns the only image of an index, by what its rows say; null where they do not tell.
 * @throws USAGE where there are several, which the error lists by their platforms
 */
export function onlyChild(children: readonly IndexChild[], label: string): IndexChild | null {
  if (children.some(({ descriptor }) => isIndexType(descriptor.mediaType))) return null;
  const images = withoutVariants(children.filter(mayBeImage));
  const [first, ...others] = images;
  if (first === undefined) return null;
  if (others.every(({ descriptor }) => descriptor.digest === first.descriptor.digest)) return first;
  if (images.some(({ platform }) => platform === null)) return null;
  throw severalImages(
    label,
    images.map(({ platform }) => platform),
  );
}

/** Makes the error for several images where one is needed. What it lists can be typed. */
export function severalImages(label: string, platforms: readonly (Platform | null)[]): OcislimError {
  const placed = platforms.flatMap((platform) => (platform === null ? [] : [{ platform }]));
  const names = namesOf(placed, placed);
  return new OcislimError('USAGE', `${label} has ${platforms.length} images to choose from`, {
    advice: names.length === 0 ? 'Name one by its digest.' : `Give --platform, one of: ${names.join(', ')}.`,
  });
}

function withoutVariantsOf(
  rows: readonly IndexChild[],
  variants: ChoiceOptions['variants'],
): readonly IndexChild[] {
  return variants === 'one' ? withoutVariants(rows) : rows;
}

/** Returns whether a child can be an image, by what its row says (image-spec descriptor.md, "artifactType"). */
function mayBeImage(child: IndexChild): boolean {
  const { mediaType, json } = child.descriptor;
  return isManifestType(mediaType) && typeof json['artifactType'] !== 'string' && !isAttestation(child);
}

function best<T extends Placed>(wanted: Platform, placed: readonly T[]): readonly T[] {
  return bestMatches(wanted, placed, ({ platform }) => platform);
}

function isExactFor(wanted: Platform): (placed: PlacedChild) => boolean {
  return ({ platform }) => isExact(wanted, platform);
}

function notThere(label: string, wanted: Platform, placed: readonly PlacedChild[]): OcislimError {
  const choices = namesOf(placed, placed);
  return new OcislimError('NOT_FOUND', `${label} has no image for ${formatPlatform(wanted)}`, {
    advice: choices.length === 0 ? 'It states the platform of no image.' : `It has: ${choices.join(', ')}.`,
  });
}

function warnOfTie(label: string, wanted: Platform, tied: readonly PlacedChild[], listener: Listener): void {
  const [first] = tied;
  if (first === undefined || new Set(tied.map(({ child }) => child.descriptor.digest)).size === 1) return;
  const others = namesOf(tied.slice(1), tied);
  const rest = others.length === 0 ? '' : `; to choose another, name it: ${others.join(', ')}`;
  listener({
    type: 'warning',
    code: 'PLATFORM_TIE',
    message: `${label} has ${tied.length} images for ${formatPlatform(wanted)}: the first is taken, ${formatPlatform(first.platform)} (${first.child.descriptor.digest})${rest}`,
  });
}

type Placed = Pick<PlacedChild, 'platform'>;

/** Returns platforms that choose one of these when they are typed, each once, twenty at most. */
function namesOf(some: readonly Placed[], all: readonly Placed[]): readonly string[] {
  // Each costs a search among all.
  const examined = some.slice(0, 100).filter((placed) => chooses(placed, all));
  return [...new Set(examined.map(({ platform }) => formatPlatform(platform)))].slice(0, 20);
}

function chooses(placed: Placed, all: readonly Placed[]): boolean {
  const name = formatPlatform(placed.platform);
  try {
    return !name.includes(',') && best(parsePlatform(name), all)[0] === placed;
  } catch {
    return false;
  }
}
