import { type Descriptor, descriptorOfBytes } from '../../oci/descriptor.ts';
import { encodeJson, type JsonObject } from '../../oci/json.ts';
import type { Index, IndexChild } from '../../oci/manifest.ts';
import { type Family, mediaTypes } from '../../oci/media-type.ts';
import type { RawManifest } from '../../place/place.ts';
import { withoutData } from './without-data.ts';

/** A row of the old index, and its manifest in the new one; null for a row that is left out. */
export interface NewChild {
  readonly child: IndexChild;
  readonly manifest: Descriptor | null;
}

/** What changes in an index together with its children. */
export interface IndexChanges {
  readonly annotations: Readonly<Record<string, string>>;
  readonly family: Family;
}

/** Puts the index over the new manifests together (image-spec image-index.md). */
export function assembleIndex(
  index: Index,
  rows: readonly NewChild[],
  { annotations, family }: IndexChanges,
): RawManifest {
  const children = rows.flatMap(({ child, manifest }) => {
    if (manifest === null) return [];
    const { json, digest } = child.descriptor;
    if (manifest.digest === digest) return [json];
    return [
      { ...withoutData(json), mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.size },
    ];
  });
  const mediaType = family === index.family ? index.mediaType : mediaTypes.ociIndex;
  const all = { ...(index.json['annotations'] as JsonObject | undefined), ...annotations };
  const json: JsonObject = { ...index.json, schemaVersion: 2, mediaType, manifests: children };
  delete json['subject'];
  if (Object.keys(all).length > 0) json['annotations'] = all;
  else if (json['annotations'] === null) delete json['annotations'];
  const bytes = encodeJson(json);
  return { descriptor: descriptorOfBytes(mediaType, bytes), bytes };
}
