/**
 * Descriptors: how manifests and indexes point to blobs (image-spec descriptor.md). Read wherever a manifest is, and made for
 * each new layer, config and manifest.
 */
import { OcislimError } from '../errors.ts';
import { type Digest, digestOf, parseDigest } from './digest.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/**
 * A typed view of a descriptor. `json` is the object it was read from, unknown keys included:
 * what is copied is copied with them.
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Those whose value is a string. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly json: JsonObject;
}

/**
 * Reads a descriptor out of a parsed document.
 * @param what the subject of error messages: "layer 3 of …"
 * @throws MANIFEST_INVALID where media type, digest or size is missing or malformed
 */
export function parseDescriptor(value: unknown, what: string): Descriptor {
  if (!isJsonObject(value)) throw new OcislimError('MANIFEST_INVALID', `${what} is not a descriptor object`);
  const json = value;
  const { mediaType, size, annotations } = json;
  if (typeof mediaType !== 'string' || mediaType === '') {
    throw new OcislimError('MANIFEST_INVALID', `${what} has no mediaType`);
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new OcislimError('MANIFEST_INVALID', `${what} has no valid size: ${JSON.stringify(size)}`);
  }
  return {
    mediaType,
    digest: parseDigest(json['digest'], `the digest of ${what}`),
    size,
    annotations: stringMap(annotations),
    json,
  };
}

function stringMap(value: unknown): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

/** Makes a descriptor with the usual keys in the usual order; `annotations` only if there are any. */
export function makeDescriptor(
  mediaType: string,
  digest: Digest,
  size: number,
  annotations: Readonly<Record<string, string>> = {},
): Descriptor {
  const json: JsonObject = { mediaType, digest, size };
  if (Object.keys(annotations).length > 0) json['annotations'] = { ...annotations };
  return { mediaType, digest, size, annotations, json };
}

/** Makes the descriptor of bytes in memory, by their sha256. */
export function descriptorOfBytes(mediaType: string, bytes: Uint8Array): Descriptor {
  return makeDescriptor(mediaType, digestOf(bytes), bytes.length);
}
