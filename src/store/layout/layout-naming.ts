/**
 * How an image gets into the index.json of a layout: under names, or in the place of the rows that it was read from. Pure;
 * layout-storage.ts writes the rows.
 */
import { OcislimError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isJsonObject, type JsonObject } from '../../oci/json.ts';
import { type Packing, rowNotes } from '../../oci/packing-notes.ts';
import { formatPlatform, readPlatform } from '../../oci/platform.ts';
import { annotation, imageNameKey, refNameKey } from './layout-index.ts';

/** The rows that an image gets. */
export type LayoutNaming =
  /** A row for each name; without names a row without one. */
  | { readonly kind: 'names'; readonly names: readonly string[] }
  /** The rows that were read, which keep everything but what describes the old manifest. */
  | { readonly kind: 'rows'; readonly rows: readonly JsonObject[] };

/** What a row of index.json is made for. */
export interface NamedImage {
  readonly descriptor: Descriptor;
  /** Null where it is not known. */
  readonly packing: Packing | null;
}

/** Returns the rows of index.json with the image in them. All other rows stay as they are. */
export function named(
  rows: readonly JsonObject[],
  image: NamedImage,
  naming: LayoutNaming,
): readonly JsonObject[] {
  return naming.kind === 'rows'
    ? inPlace(rows, image, naming.rows)
    : underNames(rows, image.descriptor, naming.names);
}

function underNames(
  rows: readonly JsonObject[],
  { mediaType, digest, size }: Descriptor,
  names: readonly string[],
): readonly JsonObject[] {
  const row: JsonObject = { mediaType, digest, size };
  if (names.length === 0) {
    const isThere = rows.some(
      (other) => other['digest'] === digest && annotation(other, refNameKey) === null,
    );
    return isThere ? rows : [...rows, row];
  }
  const unique = [...new Set(names)];
  const fresh = unique.map((name) => {
    const [known = null] = rows
      .filter((other) => isNamed(other, name))
      .map((other) => annotation(other, imageNameKey));
    const annotations = { [refNameKey]: name, ...(known === null ? {} : { [imageNameKey]: known }) };
    return { ...row, annotations };
  });
  return [...rows.filter((other) => !unique.some((name) => isNamed(other, name))), ...fresh];
}

/** Returns whether a row has exactly this name, short or full. */
function isNamed(row: JsonObject, name: string): boolean {
  return annotation(row, refNameKey) === name || annotation(row, imageNameKey) === name;
}

/** Refuses names that several images have, as two that Docker saved with one tag. @throws USAGE */
export function refuseAmbiguous(rows: readonly JsonObject[], names: readonly string[], label: string): void {
  for (const name of names) {
    const full = rows.filter((row) => isNamed(row, name)).map((row) => annotation(row, imageNameKey));
    const different = [...new Set(full)].filter((each) => each !== null);
    if (different.length < 2) continue;
    throw new OcislimError(
      'USAGE',
      `${label}: ${JSON.stringify(name)} means several images: ${different.join(', ')}`,
      {
        advice: 'Write the full name of one of them, or another tag.',
      },
    );
  }
}

/**
 * Replaces the rows that were read, where they stand. A row that another program has changed meanwhile is found by its names;
 * where no such row is left, the image gets a row of its own.
 */
function inPlace(
  rows: readonly JsonObject[],
  image: NamedImage,
  read: readonly JsonObject[],
): readonly JsonObject[] {
  const result = [...rows];
  for (const old of read) {
    const same = result.findIndex((row) => isSameRow(row, old));
    const at = same >= 0 ? same : result.findIndex((row) => haveOneName(row, old));
    const before = at < 0 ? old : (result[at] ?? old);
    const hasRivals = result.some((row, i) => i !== at && areRivals(row, before));
    const fresh = replaced(before, image, hasRivals);
    if (at < 0) result.push(fresh);
    else result[at] = fresh;
  }
  return result;
}

/** Returns whether two rows are one. */
export function isSameRow(a: JsonObject, b: JsonObject): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function haveOneName(a: JsonObject, b: JsonObject): boolean {
  const names = [refNameKey, imageNameKey].map((key) => [annotation(a, key), annotation(b, key)] as const);
  return names.some(([name]) => name !== null) && names.every(([one, other]) => one === other);
}

/** Returns whether only how they are packed can tell two rows apart: both are for one platform, under one name or without any. */
function areRivals(a: JsonObject, b: JsonObject): boolean {
  const [one, other] = [a, b].map(({ platform }) => readPlatform(platform));
  if (one == null || other == null || formatPlatform(one) !== formatPlatform(other)) return false;
  return [refNameKey, imageNameKey].every((key) => annotation(a, key) === annotation(b, key));
}

/** Keys of a row that say what the manifest is, and not what it is called or for. */
const ofManifest: ReadonlySet<string> = new Set([
  'mediaType',
  'digest',
  'size',
  'data',
  'urls',
  'artifactType',
]);

/** Makes the row of a new image in the place of an old one. What its annotations say of the packing stays only where it is true. */
function replaced(row: JsonObject, { descriptor, packing }: NamedImage, hasRivals: boolean): JsonObject {
  const { mediaType, digest, size } = descriptor;
  const kept = Object.entries(row).filter(([key]) => !ofManifest.has(key));
  const { annotations, ...rest } = Object.fromEntries<unknown>(kept);
  const isSame = packing === null || row['digest'] === digest;
  const notes = isSame ? annotations : rowNotes(annotations, packing, hasRivals);
  const hasNotes = isJsonObject(notes) && (isSame || Object.keys(notes).length > 0);
  return { mediaType, digest, size, ...rest, ...(hasNotes ? { annotations: notes } : {}) };
}
