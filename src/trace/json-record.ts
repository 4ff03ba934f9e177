import { bytesOf, type ByteString, utf8Bytes } from '../bytes/bytes.ts';
import { type JsonObject, memberOf, tryParseJson } from '../bytes/json-value.ts';

/** Parses one record; undefined for text that is not JSON. */
export function parseRecord(text: ByteString): unknown {
  return tryParseJson(bytesOf(text));
}

/** Returns an own member that is a string, as its bytes in UTF-8; null for any other. */
export function byteMember(object: JsonObject, name: string): ByteString | null {
  const value = memberOf(object, name);
  return typeof value === 'string' ? utf8Bytes(value) : null;
}
