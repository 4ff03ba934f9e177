import { bytesOf, type ByteString, utf8Bytes } from '../bytes/bytes.ts';
import { type JsonObject, memberOf, parseJson } from '../bytes/json-value.ts';

/** What a record says; undefined for what is no JSON. */
export function parseRecord(text: ByteString): unknown {
  return parseJson(bytesOf(text));
}

/** The member of that very name, as a string of bytes; null where there is none. */
export function byteMember(object: JsonObject, name: string): ByteString | null {
  const value = memberOf(object, name);
  return typeof value === 'string' ? utf8Bytes(value) : null;
}
