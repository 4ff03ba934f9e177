import { bytesOf, type ByteString, utf8Bytes, utf8Text } from '../bytes/bytes.ts';
import { type JsonObject, memberOf, tryParseJson } from '../bytes/json-value.ts';

/** Parses one record; undefined for text that is not JSON. */
export function parseRecord(text: ByteString): unknown {
  return tryParseJson(bytesOf(text));
}

/** Returns the JSON of a value; '' for a value whose nesting is too deep for the stack. */
export function recordText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

/** Returns a value that is a string or a number; undefined for any other. */
export function scalarOf(value: unknown): string | number | undefined {
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

/** Returns an own member that is a string, as its bytes in UTF-8; null for any other. */
export function byteMember(object: JsonObject, name: string): ByteString | null {
  const value = memberOf(object, name);
  return typeof value === 'string' ? utf8Bytes(value) : null;
}

/** Returns bytes as text; null for bytes that are not UTF-8, which JSON cannot hold. */
export function textOf(bytes: ByteString): string | null {
  const text = utf8Text(bytes);
  return utf8Bytes(text) === bytes ? text : null;
}
