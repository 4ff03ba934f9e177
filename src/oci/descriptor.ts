import { OcislimError } from '../errors.ts';
import { type Digest, digestOf, parseDigest } from './digest.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/** A typed view of a descriptor; `json` is the object it came from, unknown keys included (image-spec descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly json: JsonObject;
}

/** @throws MANIFEST_INVALID naming `what`. */
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

export function descriptorOfBytes(mediaType: string, bytes: Uint8Array): Descriptor {
  return makeDescriptor(mediaType, digestOf(bytes), bytes.length);
}
