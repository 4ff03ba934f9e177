import { OcislimError } from '../errors.ts';
import { readJson } from './json-reader.ts';

export type JsonObject = { [key: string]: unknown };

/** As `parseJson`, of what must be an object. @throws MANIFEST_INVALID naming `what`. */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  const value = parseJson(bytes, what);
  if (!isJsonObject(value)) throw new OcislimError('MANIFEST_INVALID', `${what} is not a JSON object`);
  return value;
}

/**
 * Parses JSON out of bytes that must be UTF-8. A key that an object has twice is refused: we would see another document
 * than programs for which the other one counts. A number that a double does not hold (2^53 + 1, 1e999) becomes an object
 * that `encodeJson` writes as it was.
 * @throws MANIFEST_INVALID naming `what`.
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

/** Of ECMAScript's "JSON.parse source text access": each Node that we run on has it, the types do not yet. */
const { isRawJSON } = JSON as unknown as { readonly isRawJSON: (value: unknown) => boolean };

/** Is it an object of the document (and not a number that stands for itself)? */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJSON(value);
}

/** Compact, keys in insertion order: the same value gives the same bytes. */
export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
