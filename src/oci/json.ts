import { OcislimError } from '../errors.ts';

export type JsonObject = { [key: string]: unknown };

/**
 * Parses a JSON object out of bytes that must be UTF-8.
 * @throws MANIFEST_INVALID naming `what`.
 */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new OcislimError('MANIFEST_INVALID', `${what} is not JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OcislimError('MANIFEST_INVALID', `${what} is not a JSON object`);
  }
  return value as JsonObject;
}

/** Compact, keys in insertion order: the same value gives the same bytes. */
export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
