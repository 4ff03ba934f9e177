/**
 * Which image of a layout a reference means, and how the images of a layout are named so that each can be chosen. Pure:
 * layout-source.ts reads the entries, and layout-storage.ts the rows that are replaced.
 */
import { isRefName } from '../../oci/forms/layout-form.ts';
import { isManifestType, isIndexType } from '../../oci/media-type.ts';
import type { Digest } from '../../oci/digest.ts';
import { itemsNamed } from '../image-name.ts';
import type { LayoutEntry } from './layout-index.ts';

/** Which image of a layout is meant: the only one where nothing is stated. */
export interface WantedImage {
  /** A tag, or another name of the image. */
  readonly tag: string | null;
  /** Takes precedence over the tag, as in a registry. */
  readonly digest: Digest | null;
  /** The row of index.json, from 0. */
  readonly position: number | null;
}

/** The only image. */
export const onlyImage: WantedImage = { tag: null, digest: null, position: null };

/** Returns the entries that a name may mean. */
export function entriesNamed(entries: readonly LayoutEntry[], name: string): readonly LayoutEntry[] {
  return itemsNamed(entries, namesOf, name);
}

function namesOf({ refName, imageName }: LayoutEntry): readonly string[] {
  return [refName, imageName].filter((name) => name !== null);
}

/** Returns one entry for each digest: entries with one digest are one image. */
export function distinct(entries: readonly LayoutEntry[]): LayoutEntry[] {
  const seen = new Map(entries.map((entry) => [entry.digest, entry]));
  return [...seen.values()];
}

/** Returns the entries that can be meant where no image is named: all but signatures and the like, unless there are no others. */
export function candidates(entries: readonly LayoutEntry[]): readonly LayoutEntry[] {
  const images = entries.filter(mayBeImage);
  return images.length > 0 ? images : entries;
}

/** Whether a row can be that of an image, by what it says of itself: of its type, as an attestation, by the tag of a referrer. */
function mayBeImage({ mediaType, refName, json }: LayoutEntry): boolean {
  const isManifest = mediaType === null || isManifestType(mediaType) || isIndexType(mediaType);
  const annotations = (json['annotations'] ?? {}) as Readonly<Record<string, unknown>>;
  return (
    isManifest &&
    typeof json['artifactType'] !== 'string' &&
    annotations['vnd.docker.reference.type'] === undefined &&
    !/(?:^|:)sha(?:256|512)-[0-9a-f]{64,}(?:\.[a-z]+)?$/.test(refName ?? '')
  );
}

/** A place and what it lists. */
export interface Listing {
  /** The place as a reference begins: `oci:DIR`. */
  readonly place: string;
  /** The rows of index.json. */
  readonly rows: readonly LayoutEntry[];
  /** The children of indexes in the place, where names are looked for that no row has. */
  readonly nested: readonly LayoutEntry[];
}

/** The number of images that are looked at for a list: each costs a search among all. */
export const mostListed = 100;

/**
 * Writes the first entries as references that choose them: by a name that is theirs alone, else by position or digest. At most
 * `mostListed` entries are looked at.
 */
export function choicesIn(listing: Listing, all: readonly LayoutEntry[]): readonly string[] {
  const { place, rows } = listing;
  const entries = all.slice(0, mostListed);
  const named = new Map(entries.map((entry) => [entry, nameFor(entry, listing)]));
  const covered = new Set(entries.filter((entry) => named.get(entry) !== null).map(({ digest }) => digest));
  const choices = entries.flatMap((entry) => {
    const name = named.get(entry) ?? null;
    if (name !== null) return [`${place}:${name}`];
    if (covered.has(entry.digest)) return [];
    const position = rows.indexOf(entry);
    if (position >= 0) return [`${place}@${position}`];
    // The platforms of an index have no names, and --platform chooses among them.
    return namesOf(entry).length > 0 ? [`${place}@${entry.digest}`] : [];
  });
  return [...new Set(choices)];
}

/** Returns the first name of an entry that finds it and no other image, and can be written in a reference. */
function nameFor(entry: LayoutEntry, { rows, nested }: Listing): string | null {
  const isUsable = (name: string) => {
    if (!isRefName(name) || /@[0-9]+$|@sha(?:256|512):/.test(name)) return false;
    const found = entriesNamed(rows, name);
    const meant = found.length > 0 ? found : entriesNamed(nested, name);
    return distinct(meant).every(({ digest }) => digest === entry.digest);
  };
  return namesOf(entry).find(isUsable) ?? null;
}

/**
 * Returns the end of a sentence with choices below it, one a line, twenty at most; empty where there are none.
 * @param total the number of images in the place
 */
export function listChoices(choices: readonly string[], total: number): string {
  if (choices.length === 0) return '';
  const shown = choices.slice(0, 20);
  const some = shown.length < choices.length ? ` (${shown.length} of ${total})` : '';
  return `${some}:${shown.map((choice) => `\n  - ${choice}`).join('')}`;
}
