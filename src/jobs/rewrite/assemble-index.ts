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
import { zstdMark } from '../../oci/variants.ts';
import type { BaseNames } from '../../image/image.ts';
import { writeBase } from '../../rebase/stated-base.ts';
import type { AssembledImage } from './records.ts';
import { withoutData } from './without-data.ts';

/** A row of the old index, and its manifest in the new one; null for a row that is left out. */
export interface NewChild {
  readonly child: IndexChild;
  readonly manifest: Descriptor | null;
  /** How the layers below it are packed. Null: what it is has no layers, or they are not known. */
  readonly packing: Packing | null;
  /** The bases of an image that is on another one; null for any other. */
  readonly bases: BaseNames | null;
}

/** What changes in an index together with its children. */
export interface IndexChanges {
  readonly annotations: Readonly<Record<string, string>>;
  readonly family: Family;
  /** Rows to add at the end. */
  readonly more: readonly JsonObject[];
}

/** Puts the index over the new manifests together (image-spec image-index.md). */
export function assembleIndex(
  index: Index,
  rows: readonly NewChild[],
  { annotations, family, more }: IndexChanges,
): RawManifest {
  const platforms = rows.flatMap(({ child: { platform } }) =>
    platform === null ? [] : [formatPlatform(platform)],
  );
  const nameOf = ({ platform }: IndexChild): string | null =>
    platform === null ? null : formatPlatform(platform);
  const isKept = ({ child, manifest }: NewChild) => manifest?.digest === child.descriptor.digest;
  // The digests that rows had before, by what they name now.
  const there = new Map(
    rows
      .filter(isKept)
      .map(({ child }) => [`${child.descriptor.digest} ${nameOf(child)}`, child.descriptor.digest]),
  );
  const children = rows.flatMap(({ child, manifest, packing, bases }) => {
    if (manifest === null) return [];
    const { json, digest } = child.descriptor;
    if (manifest.digest === digest) return [json];
    const name = nameOf(child);
    // Where an image and its variant are packed in one way now, they are one.
    const key = `${manifest.digest} ${name}`;
    if ((there.get(key) ?? digest) !== digest) return [];
    there.set(key, digest);
    const hasRivals = platforms.filter((other) => other === name).length > 1;
    const { mediaType, size } = manifest;
    // Overwritten in place, so that the keys keep their order.
    const row: JsonObject = { ...withoutData(json), mediaType, digest: manifest.digest, size };
    const notes = bases === null ? json['annotations'] : writeBase(json['annotations'], bases);
    return [packing === null ? row : withAnnotations(row, rowNotes(notes, packing, hasRivals))];
  });
  const [bases = null] = rows.flatMap((each) => each.bases ?? []);
  const notes = bases === null ? index.json['annotations'] : writeBase(index.json['annotations'], bases);
  const mediaType = family === index.family ? index.mediaType : mediaTypes.ociIndex;
  const packing = joinPacking(rows.flatMap((row) => row.packing ?? []));
  const all = { ...withoutStaleNotes(notes, packing), ...annotations };
  const json: JsonObject = { ...index.json, schemaVersion: 2, mediaType, manifests: [...children, ...more] };
  delete json['subject'];
  const bytes = encodeJson(withAnnotations(json, all));
  return { descriptor: descriptorOfBytes(mediaType, bytes), bytes };
}

/** Makes the row of the second manifest of an image: as its first one's, with the mark by which podman chooses it. */
export function variantRow({ member, assembled }: AssembledImage): JsonObject {
  const { mediaType, digest, size } = assembled.manifest.descriptor;
  const row = withoutData(member.child?.descriptor.json ?? {});
  const notes = isJsonObject(row['annotations']) ? row['annotations'] : {};
  const platform = row['platform'] ?? platformJson(member.image.config.json);
  return { ...row, mediaType, digest, size, platform, annotations: { ...notes, [zstdMark]: 'true' } };
}

/** Makes an index for an image that had none. */
export function newIndex(
  manifests: readonly JsonObject[],
  annotations: Readonly<Record<string, string>>,
): RawManifest {
  const mediaType = mediaTypes.ociIndex;
  const bytes = encodeJson(withAnnotations({ schemaVersion: 2, mediaType, manifests }, annotations));
  return { descriptor: descriptorOfBytes(mediaType, bytes), bytes };
}

/** Returns the platform of a row from the config of its image (image-spec image-index.md, "platform"). */
export function platformJson(config: JsonObject): JsonObject {
  const keys = ['architecture', 'os', 'os.version', 'os.features', 'variant'];
  return Object.fromEntries(keys.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]])));
}

/** Returns an object with these annotations in place of its own; without the key where none are left. */
function withAnnotations(json: JsonObject, annotations: JsonObject): JsonObject {
  if (Object.keys(annotations).length > 0) return { ...json, annotations };
  const { annotations: before, ...rest } = json;
  const wasEmpty = isJsonObject(before) && Object.keys(before).length === 0;
  return wasEmpty ? json : rest;
}
