import { bytesOf, type ByteString } from '../../tar/bytes.ts';

/** JSON is UTF-8; undefined for what is no JSON. */
export function parseJson(text: ByteString): unknown {
  try {
    return JSON.parse(Buffer.from(bytesOf(text)).toString('utf8'));
  } catch {
    return undefined;
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of that very name, as a string of bytes; null where there is none. */
export function byteMember(object: JsonObject, name: string): ByteString | null {
  const value = member(object, name);
  return typeof value === 'string' ? utf8(value) : null;
}

export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The bytes of its UTF-8. */
export function utf8(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}
