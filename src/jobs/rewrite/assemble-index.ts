import { type Descriptor, descriptorOfBytes } from '../../oci/descriptor.ts';
import { encodeJson, type JsonObject } from '../../oci/json.ts';
import type { Index } from '../../oci/manifest.ts';
import { type Family, mediaTypes } from '../../oci/media-type.ts';
import type { RawManifest } from '../../place/place.ts';
import type { Member } from '../image-set.ts';
import { withoutData } from './without-data.ts';

/** A member of the set, and its manifest in the new index; null for a member that is left out. */
export interface NewChild {
  readonly member: Member;
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
  members: readonly NewChild[],
  { annotations, family }: IndexChanges,
): RawManifest {
  const children = members.flatMap(({ member, manifest }) => {
    if (manifest === null || member.child === null) return [];
    const { json, digest } = member.child.descriptor;
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
  const bytes = encodeJson(json);
  return { descriptor: descriptorOfBytes(mediaType, bytes), bytes };
}
