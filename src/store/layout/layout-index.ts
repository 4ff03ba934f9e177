/**
 * The documents that make a folder an OCI layout (image-spec image-layout.md): the marker file and index.json. Read and written
 * here as data; layouts, archives and the embedded registry call it.
 */
import { OcislimError } from '../../errors.ts';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import { encodeJson, isJsonObject, type JsonObject, parseJsonObject } from '../../oci/json.ts';
import { refuseTwoReadings } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-type.ts';
import { MiB } from '../../units.ts';

/** The annotation for the name of an image in a layout (image-spec annotations.md). */
export const refNameKey = 'org.opencontainers.image.ref.name';
/** The annotation of containerd and Docker for the full name, `docker.io/library/app:tag`. */
export const imageNameKey = 'io.containerd.image.name';

/** Bytes of index.json: room for some hundred thousand images. */
export const maxIndex = 32 * MiB;

/** Bytes of the marker file, `oci-layout`. */
export const layoutMarker: Uint8Array = encodeJson({ imageLayoutVersion: '1.0.0' });
export const emptyIndex: JsonObject = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };

/** One row of a layout's index.json, or of an index nested in it. */
export interface LayoutEntry {
  readonly digest: Digest;
  /** Null in old layouts, which leave it out. */
  readonly mediaType: string | null;
  /** A tag, or `repository:tag`. */
  readonly refName: string | null;
  /** The full name: `docker.io/library/app:tag`. */
  readonly imageName: string | null;
  readonly json: JsonObject;
}

/** Checks the marker file of a layout (image-layout.md, "oci-layout file"). @throws ARCHIVE_INVALID for any version but 1 */
export function checkMarker(bytes: Uint8Array, label: string): void {
  let version: unknown;
  try {
    version = parseJsonObject(bytes, 'oci-layout')['imageLayoutVersion'];
  } catch (cause) {
    const what = `${label}: its file "oci-layout"`;
    throw new OcislimError('ARCHIVE_INVALID', `${what} is not a JSON object`, { cause });
  }
  if (typeof version !== 'string' || !version.startsWith('1.')) {
    throw new OcislimError(
      'ARCHIVE_INVALID',
      `${label} is an OCI layout of version ${JSON.stringify(version)}, not 1.0.0`,
    );
  }
}

/** Reads index.json and returns its rows as they are, unknown keys included. @throws ARCHIVE_INVALID */
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

/** Reads a row of an index. @throws MANIFEST_INVALID for a malformed digest, which would become a path */
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

/** Returns an annotation of a row; null where it is missing, empty or not a string. */
export function annotation(row: JsonObject, key: string): string | null {
  const annotations = row['annotations'];
  const value = isJsonObject(annotations) && Object.hasOwn(annotations, key) ? annotations[key] : null;
  return typeof value === 'string' && value !== '' ? value : null;
}
