/**
 * Compares JSON documents member by member: configs, manifests, rows of a history. `compare-config.ts` calls it for `verify`, and
 * `diff-documents.ts` for `diff`.
 */
import { isJsonObject, type JsonObject, own } from '../../oci/json.ts';

/** A member that differs, with its JSON in a canonical form; null where it is absent or null. */
export interface MemberDifference {
  /** Keys with dots between them. */
  readonly member: string;
  readonly a: string | null;
  readonly b: string | null;
}

/**
 * Yields the members in which two values differ. Objects are compared member by member. A null member equals an absent one; an empty
 * object does not (`ExposedPorts`).
 */
export function* compareMembers(member: string, a: unknown, b: unknown): Generator<MemberDifference> {
  if (isJsonObject(a) && isJsonObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      yield* compareMembers(member === '' ? key : `${member}.${key}`, own(a, key), own(b, key));
    return;
  }
  const [was, is] = [canonical(a), canonical(b)];
  if (was !== is) yield { member, a: was, b: is };
}

/** Returns an object without some members. */
export function without(json: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([key]) => !keys.includes(key)));
}

/** Renders JSON with the members of objects in order; null for no value. */
export function canonical(value: unknown): string | null {
  return value === undefined || value === null ? null : render(value);
}

function render(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(render).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value ?? null);
  const pairs = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${render(value[key])}`);
  return `{${pairs.join(',')}}`;
}
