import { OcislimError } from '../../errors.ts';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import { encodeJson, isJsonObject, type JsonObject, parseJsonObject } from '../../oci/json.ts';
import { refuseTwoReadings } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-type.ts';
import { MiB } from '../../units.ts';

export const refNameKey = 'org.opencontainers.image.ref.name';
/** containerd's and Docker's annotation for the full name, `docker.io/library/app:tag`. */
export const imageNameKey = 'io.containerd.image.name';

/** Larger index files are refused: 32 MiB holds some hundred thousand images. */
export const maxIndex = 32 * MiB;

export const layoutMarker: Uint8Array = encodeJson({ imageLayoutVersion: '1.0.0' });
export const emptyIndex: JsonObject = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };

/** One row of a layout's index.json, or of an index nested in it. Old layouts leave out media types. */
export interface LayoutEntry {
  readonly digest: Digest;
  readonly mediaType: string | null;
  readonly refName: string | null;
  readonly imageName: string | null;
  readonly json: JsonObject;
}

/** @throws ARCHIVE_INVALID unless this is the marker file of a layout of version 1 (image-layout.md, "oci-layout file"). */
export function checkMarker(bytes: Uint8Array, label: string): void {
  let version: unknown;
  try {
    version = parseJsonObject(bytes, 'oci-layout')['imageLayoutVersion'];
  } catch (cause) {
    throw new OcislimError('ARCHIVE_INVALID', `${label}: its file "oci-layout" is not a JSON object`, {
      cause,
    });
  }
  if (typeof version !== 'string' || !version.startsWith('1.')) {
    throw new OcislimError(
      'ARCHIVE_INVALID',
      `${label} is an OCI layout of version ${JSON.stringify(version)}, not 1.0.0`,
    );
  }
}

/** The rows of index.json as they are, unknown keys included. @throws ARCHIVE_INVALID */
export function parseIndexFile(bytes: Uint8Array, label: string): { json: JsonObject; rows: JsonObject[] } {
  const file = `${label}: its file "index.json"`;
  let json: JsonObject;
  try {
    json = parseJsonObject(bytes, file);
    refuseTwoReadings(json, file);
  } catch (cause) {
    throw new OcislimError('ARCHIVE_INVALID', (cause as Error).message, { cause });
  }
  // Go writes an empty list as null.
  const rows = json['manifests'] ?? [];
  if (!Array.isArray(rows) || !rows.every(isJsonObject)) {
    throw new OcislimError('ARCHIVE_INVALID', `${file} has no list of manifests`);
  }
  return { json, rows };
}

/** @throws MANIFEST_INVALID on a digest that is none (it would become a path). */
export function readEntry(row: JsonObject, label: string): LayoutEntry {
  const { mediaType } = row;
  return {
    digest: parseDigest(row['digest'], `a digest in the index of ${label}`),
    mediaType: typeof mediaType === 'string' && mediaType !== '' ? mediaType : null,
    refName: annotation(row, refNameKey),
    imageName: annotation(row, imageNameKey),
    json: row,
  };
}

/** An annotation of a descriptor; null when it is missing, empty or no text. */
export function annotation(row: JsonObject, key: string): string | null {
  const annotations = row['annotations'];
  const value = isJsonObject(annotations) && Object.hasOwn(annotations, key) ? annotations[key] : null;
  return typeof value === 'string' && value !== '' ? value : null;
}

/**
 * The entries that a name means: those called exactly so; else those whose full name (`repository:name`) ends in it.
 * Several entries with one digest are one image.
 */
export function entriesNamed(entries: readonly LayoutEntry[], name: string): LayoutEntry[] {
  const exact = entries.filter((entry) => entry.refName === name || entry.imageName === name);
  if (exact.length > 0) return distinct(exact);
  return distinct(
    entries.filter((entry) => tagOf(entry.refName) === name || tagOf(entry.imageName) === name),
  );
}

export function distinct(entries: readonly LayoutEntry[]): LayoutEntry[] {
  const seen = new Map(entries.map((entry) => [entry.digest, entry]));
  return [...seen.values()];
}

function tagOf(name: string | null): string | null {
  if (name === null) return null;
  const colon = name.lastIndexOf(':');
  return colon < 0 || name.includes('/', colon) ? null : name.slice(colon + 1);
}

/** How the entries of a layout can be told apart, for messages: names where there are some, else digests. */
export function listEntries(entries: readonly LayoutEntry[]): string {
  const names = entries.map((entry) => entry.imageName ?? entry.refName ?? `@${entry.digest}`);
  const shown = [...new Set(names)].sort();
  const more = shown.length - 20;
  return shown.slice(0, 20).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
