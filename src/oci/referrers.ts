/**
 * Documents about artifacts that refer to an image by their `subject`: the artifact itself, its entry in a list of referrers, and
 * the index under the tag that stands for such a list (distribution-spec, "Referrers Tag Schema"). Targets and sources call it.
 */
import { type Descriptor, descriptorOfBytes, makeDescriptor, parseDescriptor } from './descriptor.ts';
import { algorithmOf, type Digest, hexOf } from './digest.ts';
import { encodeJson, isJsonObject, type JsonObject, parseJsonObject } from './json.ts';
import { mediaTypes } from './media-type.ts';

/** A manifest or index as its exact bytes. */
export interface RawDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Returns the tag that replaces the referrers API for a subject. */
export function referrersTag(digest: Digest): string {
  return `${algorithmOf(digest)}-${hexOf(digest)}`;
}

/** Returns the manifest that a document refers to; null where it names none. @throws MANIFEST_INVALID for a malformed one */
export function subjectOf(document: JsonObject, what: string): Descriptor | null {
  const { subject } = document;
  return subject === undefined || subject === null
    ? null
    : parseDescriptor(subject, `the subject of ${what}`);
}

/** Returns whether a manifest is about a digest: lists under tags are written by clients, and may be wrong. */
export function refersTo(document: JsonObject, digest: Digest): boolean {
  return subjectOf(document, 'an artifact')?.digest === digest;
}

/** Returns what a document says it is: its `artifactType`, else the media type of its config (image-spec manifest.md). */
export function artifactTypeOf({ artifactType, config }: JsonObject): string | null {
  if (typeof artifactType === 'string' && artifactType !== '') return artifactType;
  const type = isJsonObject(config) ? config['mediaType'] : null;
  return typeof type === 'string' && type !== '' ? type : null;
}

/** Returns the entry of an artifact in a list of referrers (distribution-spec, "Listing Referrers"). */
export function describeReferrer({ descriptor, bytes }: RawDocument): JsonObject {
  const { mediaType, digest, size } = descriptor;
  const document = parseJsonObject(bytes, `manifest ${digest}`);
  const type = artifactTypeOf(document);
  const { annotations } = document;
  return {
    mediaType,
    digest,
    size,
    ...(type === null ? {} : { artifactType: type }),
    ...(annotations === undefined || annotations === null ? {} : { annotations }),
  };
}

/** Returns an index of referrers with more entries, or a new one for null; null where it has all of them already. */
export function withReferrers(before: JsonObject | null, entries: readonly JsonObject[]): RawDocument | null {
  const old = (Array.isArray(before?.['manifests']) ? before['manifests'] : []) as readonly JsonObject[];
  const known = new Set(old.map((row) => row['digest']));
  const fresh = entries.filter(({ digest }) => !known.has(digest));
  if (before !== null && fresh.length === 0) return null;
  const bytes = encodeJson({
    ...(before ?? { schemaVersion: 2, mediaType: mediaTypes.ociIndex }),
    manifests: [...old, ...fresh],
  });
  return { descriptor: descriptorOfBytes(mediaTypes.ociIndex, bytes), bytes };
}

/** Returns whether a manifest has every layer of another, as one has that a signature was added to. */
export function hasLayersOf(manifest: Uint8Array, other: Uint8Array): boolean {
  const layers = (bytes: Uint8Array) => {
    const list = parseJsonObject(bytes, 'a manifest')['layers'];
    return (Array.isArray(list) ? list : []).map((layer) => (isJsonObject(layer) ? layer['digest'] : null));
  };
  const own = new Set(layers(manifest));
  return layers(other).every((digest) => own.has(digest));
}

/** The config of an artifact that needs none (image-spec manifest.md, "Guidance for an Empty Descriptor"). */
const emptyBytes = encodeJson({});
export const emptyConfig: RawDocument = {
  descriptor: descriptorOfBytes('application/vnd.oci.empty.v1+json', emptyBytes),
  bytes: emptyBytes,
};

/** What makes an artifact about an image. */
export interface ArtifactParts {
  /** The manifest or index that it is about. */
  readonly subject: Descriptor;
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly layers: readonly Descriptor[];
}

/** Makes the manifest of an artifact about an image, with the empty config (image-spec manifest.md). */
export function artifactManifest({ subject, artifactType, annotations, layers }: ArtifactParts): RawDocument {
  const { mediaType, digest, size } = subject;
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: emptyConfig.descriptor.json,
    layers: layers.map(({ json }) => json),
    subject: makeDescriptor(mediaType, digest, size).json,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
  return { descriptor: descriptorOfBytes(mediaTypes.ociManifest, bytes), bytes };
}
