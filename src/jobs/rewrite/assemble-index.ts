/**
 * Puts the index over new manifests together. `writeManifests` calls it for the root, and for each index in an index.
 */
import { type Descriptor, descriptorOfBytes } from '../../oci/descriptor.ts';
import { encodeJson, isJsonObject, type JsonObject } from '../../oci/json.ts';
import type { Index, IndexChild } from '../../oci/manifest.ts';
import { type Family, mediaTypes } from '../../oci/media-type.ts';
import { joinPacking, type Packing, rowNotes, withoutStaleNotes } from '../../oci/packing-notes.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { RawManifest } from '../../place/place.ts';
import { withoutData } from './without-data.ts';

/** A row of the old index, and its manifest in the new one; null for a row that is left out. */
export interface NewChild {
  readonly child: IndexChild;
  readonly manifest: Descriptor | null;
  /** How the layers below it are packed. Null: what it is has no layers, or they are not known. */
  readonly packing: Packing | null;
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
  const platforms = rows.flatMap(({ child: { platform } }) =>
    platform === null ? [] : [formatPlatform(platform)],
  );
  const children = rows.flatMap(({ child, manifest, packing }) => {
    if (manifest === null) return [];
    const { json, digest } = child.descriptor;
    if (manifest.digest === digest) return [json];
    const name = child.platform === null ? null : formatPlatform(child.platform);
    const hasRivals = platforms.filter((other) => other === name).length > 1;
    const { mediaType, size } = manifest;
    // Overwritten in place, so that the keys keep their order.
    const row: JsonObject = { ...withoutData(json), mediaType, digest: manifest.digest, size };
    return [packing === null ? row : withAnnotations(row, rowNotes(json['annotations'], packing, hasRivals))];
  });
  const mediaType = family === index.family ? index.mediaType : mediaTypes.ociIndex;
  const packing = joinPacking(rows.flatMap((row) => row.packing ?? []));
  const all = { ...withoutStaleNotes(index.json['annotations'], packing), ...annotations };
  const json: JsonObject = { ...index.json, schemaVersion: 2, mediaType, manifests: children };
  delete json['subject'];
  const bytes = encodeJson(withAnnotations(json, all));
  return { descriptor: descriptorOfBytes(mediaType, bytes), bytes };
}

/** Returns an object with these annotations in place of its own; without the key where none are left. */
function withAnnotations(json: JsonObject, annotations: JsonObject): JsonObject {
  if (Object.keys(annotations).length > 0) return { ...json, annotations };
  const { annotations: before, ...rest } = json;
  const wasEmpty = isJsonObject(before) && Object.keys(before).length === 0;
  return wasEmpty ? json : rest;
}
