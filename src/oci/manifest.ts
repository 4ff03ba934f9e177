/**
 * The room `oci`: images as the OCI and Docker specifications describe them, as parsed values beside their exact bytes. It
 * does no I/O and knows nothing of layers' contents; this file, its face, reads manifests and indexes.
 */
import { OcislimError } from '../errors.ts';
import { type Descriptor, parseDescriptor } from './descriptor.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from './json.ts';
import {
  type Family,
  familyOf,
  isConfigType,
  isIndexType,
  isManifestType,
  isSchema1Type,
  mediaTypes,
} from './media-type.ts';
import { knownKeys, refuseOtherCase } from './other-case.ts';
import { type Platform, platformKeys, readPlatform } from './platform.ts';

/** An image manifest (image-spec manifest.md): a typed view beside the parsed value and the exact bytes. */
export interface Manifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly family: Family;
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
  /** The manifest that this one refers to, as signatures and attestations do. */
  readonly subject: Descriptor | null;
  /** Unknown keys included. */
  readonly json: JsonObject;
  readonly bytes: Uint8Array;
}

export interface IndexChild {
  readonly descriptor: Descriptor;
  /** As the index states it; the child's config may say otherwise. */
  readonly platform: Platform | null;
}

/** An image index or Docker manifest list (image-spec image-index.md). */
export interface Index {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly family: Family;
  readonly children: readonly IndexChild[];
  readonly json: JsonObject;
  readonly bytes: Uint8Array;
}

/**
 * Reads a manifest or an index. Refuses ambiguous documents (CVE-2021-41190): a manifest has no `manifests`, an index has
 * neither `config` nor `layers`, and a mediaType inside must agree with the one outside.
 * @param mediaType what the registry or the descriptor announced
 * @param what the subject of error messages
 * @throws MANIFEST_INVALID, MEDIA_TYPE for another kind of document, UNSUPPORTED for Docker schema 1
 */
export function parseManifest(bytes: Uint8Array, mediaType: string, what: string): Manifest | Index {
  if (isSchema1Type(mediaType)) {
    throw new OcislimError('UNSUPPORTED', `${what} is a Docker schema 1 manifest, a format retired in 2017`, {
      advice: 'Pull and push the image once with a current Docker or skopeo, which converts it.',
    });
  }
  const json = parseJsonObject(bytes, what);
  refuseTwoReadings(json, what);
  requireAgreement(json, mediaType, what);
  if (json['schemaVersion'] !== 2) {
    throw new OcislimError(
      'MANIFEST_INVALID',
      `${what} has schemaVersion ${JSON.stringify(json['schemaVersion'])}, not 2`,
    );
  }
  if (isIndexType(mediaType)) return readIndex(json, bytes, mediaType, what);
  if (isManifestType(mediaType)) return readManifest(json, bytes, mediaType, what);
  throw new OcislimError(
    'MEDIA_TYPE',
    `${what} is neither an image manifest nor an index: ${JSON.stringify(mediaType)}`,
  );
}

/** @throws MANIFEST_INVALID where a document states another media type than was announced (CVE-2021-41190) */
export function requireAgreement(json: JsonObject, mediaType: string, what: string): void {
  const inside = json['mediaType'];
  if (inside === undefined || inside === mediaType) return;
  throw new OcislimError(
    'MANIFEST_INVALID',
    `${what} calls itself ${JSON.stringify(inside)} but was announced as ${JSON.stringify(mediaType)}`,
  );
}

function readManifest(json: JsonObject, bytes: Uint8Array, mediaType: string, what: string): Manifest {
  refuseKeys(json, ['manifests', 'fsLayers'], what, 'a manifest');
  const { subject } = json;
  // Go writes an empty list as null.
  const layers = json['layers'] === null ? [] : json['layers'];
  if (!Array.isArray(layers)) throw new OcislimError('MANIFEST_INVALID', `${what} has no list of layers`);
  return {
    kind: 'manifest',
    mediaType,
    family: familyOf(mediaType),
    config: parseDescriptor(json['config'], `the config of ${what}`),
    layers: layers.map((layer, i) => parseDescriptor(layer, `layer ${i + 1} of ${what}`)),
    subject:
      subject === undefined || subject === null ? null : parseDescriptor(subject, `the subject of ${what}`),
    json,
    bytes,
  };
}

function readIndex(json: JsonObject, bytes: Uint8Array, mediaType: string, what: string): Index {
  refuseKeys(json, ['config', 'layers', 'fsLayers'], what, 'an index');
  const manifests = json['manifests'] === null ? [] : json['manifests'];
  if (!Array.isArray(manifests))
    throw new OcislimError('MANIFEST_INVALID', `${what} has no list of manifests`);
  return {
    kind: 'index',
    mediaType,
    family: familyOf(mediaType),
    children: manifests.map((child, i) => {
      const descriptor = parseDescriptor(child, `manifest ${i + 1} of ${what}`);
      return { descriptor, platform: readPlatform(descriptor.json['platform']) };
    }),
    json,
    bytes,
  };
}

/** Keys of manifests, indexes and descriptors. */
const ownKeys = knownKeys(
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'manifests',
  'subject',
  'annotations',
  'digest',
  'size',
  'urls',
  'data',
  'platform',
  'fsLayers',
);

/**
 * Refuses keys that a program in Go would read otherwise, in a manifest, an index or the `index.json` of a layout, and
 * annotations that are not an object.
 * @throws MANIFEST_INVALID naming `what`
 */
export function refuseTwoReadings(json: JsonObject, what: string): void {
  const parts = [json, json['config'], json['subject'], json['layers'], json['manifests']].flat();
  refuseOtherCase(parts, ownKeys, what);
  const platforms = parts.map((part) => (isJsonObject(part) ? part['platform'] : null));
  refuseOtherCase(platforms, platformKeys, what);
  for (const part of parts) {
    const annotations = isJsonObject(part) ? (part['annotations'] ?? null) : null;
    if (annotations !== null && !isJsonObject(annotations))
      throw new OcislimError('MANIFEST_INVALID', `${what} has annotations that are not an object`);
  }
}

/** Refuses keys of the other kind of document. */
function refuseKeys(json: JsonObject, keys: readonly string[], what: string, kind: string): void {
  const found = keys.find((key) => Object.hasOwn(json, key));
  if (found === undefined) return;
  throw new OcislimError(
    'MANIFEST_INVALID',
    `${what} is announced as ${kind} but has the key "${found}"; it could be read in two ways`,
  );
}

/** Guesses the media type of a manifest whose descriptor states none, as in old OCI layouts. @throws MANIFEST_INVALID */
export function sniffMediaType(bytes: Uint8Array, what: string): string {
  const json = parseJsonObject(bytes, what);
  if (typeof json['mediaType'] === 'string') return json['mediaType'];
  if (Array.isArray(json['manifests'])) return mediaTypes.ociIndex;
  return mediaTypes.ociManifest;
}

/**
 * Returns whether a manifest describes an image to run, and not an artifact in the form of a manifest. Signatures and
 * attestations of some tools state the config of an image, but have no layer.
 */
export function isImage({ config, layers }: Manifest): boolean {
  const types = layers.map(({ mediaType }) => mediaType);
  return isConfigType(config.mediaType) && (types.length === 0 || types.some(isTar));
}

/** Whether a type may be that of a tar, packed or encrypted in whatever way. */
function isTar(mediaType: string): boolean {
  return /\btar\b|[./+]layer\b/.test(mediaType);
}
