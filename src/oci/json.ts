import { OcislimError } from '../errors.ts';
import { findFlaw } from './json-scan.ts';

export type JsonObject = { [key: string]: unknown };

/**
 * Parses a JSON object out of bytes that must be UTF-8. A key that an object has twice is refused: we would see another
 * document than programs for which the other one counts.
 * @throws MANIFEST_INVALID naming `what`.
 */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw new OcislimError('MANIFEST_INVALID', `${what} is not JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OcislimError('MANIFEST_INVALID', `${what} is not a JSON object`);
  }
  const flaw = findFlaw(text);
  if (flaw === null) return value as JsonObject;
  const sentence =
    flaw.kind === 'deep'
      ? 'has more than 100 objects and lists in each other'
      : `has the key ${JSON.stringify(flaw.key.slice(0, 60))} twice in one object; it could be read in two ways`;
  throw new OcislimError('MANIFEST_INVALID', `${what} ${sentence}`);
}

/** Compact, keys in insertion order: the same value gives the same bytes. */
export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
