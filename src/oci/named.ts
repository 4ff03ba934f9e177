/**
 * What a document names, whatever its type: the blobs and documents that must be there before it. Copies and local targets read
 * it; images and indexes have parsers of their own.
 */
import { OcislimError } from '../errors.ts';
import { type Descriptor, parseDescriptor } from './descriptor.ts';
import { isDigest } from './digest.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from './json.ts';
import { parseManifest, requireAgreement } from './manifest.ts';
import { isConfigType, isIndexType, isManifestType, isSchema1Type, mediaTypes } from './media-type.ts';

/** The descriptors in a document. */
export interface Named {
  /** Rows of an index, which may be documents or blobs. */
  readonly rows: readonly Descriptor[];
  /** Config and layers of a manifest, blobs of an artifact. */
  readonly blobs: readonly Descriptor[];
}

/** How the bytes below a row of an index are kept in a registry. */
export type RowKind = 'document' | 'blob' | 'unknown';

/** Tells what the media type of a row says. */
export function rowKind(mediaType: string): RowKind {
  if (isIndexType(mediaType) || isManifestType(mediaType) || isSchema1Type(mediaType)) return 'document';
  if (mediaType === mediaTypes.ociArtifact || mediaType === mediaTypes.orasArtifact) return 'document';
  return isConfigType(mediaType) || layerTypes.test(mediaType) || otherBlobs.has(mediaType)
    ? 'blob'
    : 'unknown';
}

const layerTypes = /^application\/vnd\.(?:oci\.image\.layer|docker\.image\.rootfs)\./;

/** Media types of blobs that registries know, apart from layers and configs of images. */
const otherBlobs: ReadonlySet<string> = new Set([
  'application/vnd.buildkit.cacheconfig.v0',
  'application/vnd.oci.empty.v1+json',
]);

/**
 * Returns what a document names.
 * @param what the subject of error messages
 * @throws what `parseManifest` throws for images and indexes, MANIFEST_INVALID for a malformed descriptor of another type
 */
export function namedIn(bytes: Uint8Array, mediaType: string, what: string): Named {
  if (isIndexType(mediaType) || isManifestType(mediaType) || isSchema1Type(mediaType)) {
    const parsed = parseManifest(bytes, mediaType, what);
    return parsed.kind === 'index'
      ? { rows: parsed.children.map(({ descriptor }) => descriptor), blobs: [] }
      : { rows: [], blobs: [parsed.config, ...parsed.layers] };
  }
  const json = jsonOf(bytes, what);
  if (json === null) return { rows: [], blobs: [] };
  requireAgreement(json, mediaType, what);
  const listed = (key: string) =>
    listOf(json, key).map((value, i) => parseDescriptor(value, `${key} ${i + 1} of ${what}`));
  const config = isJsonObject(json['config'])
    ? [parseDescriptor(json['config'], `the config of ${what}`)]
    : [];
  return { rows: listed('manifests'), blobs: [...config, ...listed('layers'), ...listed('blobs')] };
}

/** Returns whether bytes of an unknown type look like a document that names others, and not like a blob. */
export function isDocument(bytes: Uint8Array, mediaType: string): boolean {
  const json = jsonOf(bytes, 'a row');
  if (json === null || (json['schemaVersion'] !== 2 && json['mediaType'] !== mediaType)) return false;
  const lists = ['manifests', 'layers', 'blobs'].filter((key) => Array.isArray(json[key]));
  return lists.length > 0 && lists.every((key) => listOf(json, key).every(isDescriptor));
}

function isDescriptor(value: unknown): boolean {
  return isJsonObject(value) && isDigest(value['digest']) && Number.isSafeInteger(value['size']);
}

function listOf(json: JsonObject, key: string): readonly unknown[] {
  const value = json[key];
  return Array.isArray(value) ? value : [];
}

function jsonOf(bytes: Uint8Array, what: string): JsonObject | null {
  try {
    return parseJsonObject(bytes, what);
  } catch (error) {
    if (error instanceof OcislimError) return null;
    throw error;
  }
}
