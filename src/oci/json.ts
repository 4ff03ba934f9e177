import { OcislimError } from '../errors.ts';
import { readJson } from './json-reader.ts';

export type JsonObject = { [key: string]: unknown };

/** Reads JSON as `parseJson` does, and demands an object. @throws MANIFEST_INVALID naming `what` */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  const value = parseJson(bytes, what);
  if (!isJsonObject(value)) throw new OcislimError('MANIFEST_INVALID', `${what} is not a JSON object`);
  return value;
}

/**
 * Reads JSON out of bytes that must be UTF-8. A key that occurs twice in an object is refused: programs that count the other
 * one would see another document. A number that a double cannot hold (2^53 + 1, 1e999) becomes an object that `encodeJson`
 * writes as it was.
 * @param what the subject of error messages
 * @throws MANIFEST_INVALID
 */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    JSON.parse(text);
  } catch (cause) {
    throw new OcislimError('MANIFEST_INVALID', `${what} is not JSON`, { cause });
  }
  return readJson(text, what);
}

/** ECMAScript's "JSON.parse source text access": each Node that we run on has it, the types do not yet. */
const { isRawJSON } = JSON as unknown as { readonly isRawJSON: (value: unknown) => boolean };

/** Returns whether a value is an object of the document, and not one that stands for a number. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJSON(value);
}

/** Returns an object; an empty one for any other value. */
export function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** Returns a member of an object; undefined for one that it only inherits. */
export function own(json: JsonObject, key: string): unknown {
  return Object.hasOwn(json, key) ? json[key] : undefined;
}

/** Writes compact JSON with keys in the order of insertion: the same value gives the same bytes. */
export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
