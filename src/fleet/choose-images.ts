/** Which images of a repository are planned: those that are new enough, by when they were made. And which tags are names of images at all. */

/** An image of a repository, by what decides about it. */
export interface DatedImage {
  /** At least one. */
  readonly tags: readonly string[];
  /** When it says that it was made, in milliseconds since 1970; null where it does not say. */
  readonly created: number | null;
}

/** How many images of a repository are planned, and how new they are. Null: any. `since` is in milliseconds since 1970. */
export interface Newness {
  readonly newest: number | null;
  readonly since: number | null;
}

/** Returns whether programs made a tag for what speaks of an image: referrers (distribution-spec, "Referrers Tag Schema"), or cosign's. */
export function isServiceTag(tag: string): boolean {
  return /^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{128})(?:\.[a-z]+)?$/.test(tag);
}

/**
 * Returns the images that are new enough, the newest first: those made at or after `since`, and of these the `newest` first ones. Images of one time, as
 * reproducible builds state it, follow their highest tags, by the numbers in them. Those without a time are the oldest.
 */
export function chooseImages<T extends DatedImage>(
  images: readonly T[],
  { newest, since }: Newness,
): readonly T[] {
  const ordered = images
    .filter(({ created }) => since === null || (created !== null && created >= since))
    .map((image) => ({ image, highest: image.tags.toSorted(byNumbers).at(-1) ?? '' }))
    .sort((a, b) => compareTimes(b.image.created, a.image.created) || byNumbers(b.highest, a.highest))
    .map(({ image }) => image);
  return newest === null ? ordered : ordered.slice(0, newest);
}

function compareTimes(a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return a - b;
}

const collator = new Intl.Collator('en', { numeric: true });

function byNumbers(a: string, b: string): number {
  // The collator takes some different texts as equal.
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}
