import { isJsonObject } from '../oci/json.ts';

/**
 * Compares values of configs as their readers do: keys have no order, and what is absent, null or empty means the same. Builders write
 * what they took over from a base in their own way.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b));
}

/** Returns a value with sorted keys; null for one that means nothing. */
function plain(value: unknown): unknown {
  if (value === undefined || value === '' || value === false || value === 0) return null;
  if (Array.isArray(value))
    return value.length === 0 ? null : value.map((each: unknown) => plain(each) ?? each);
  if (!isJsonObject(value)) return value;
  const rows = Object.keys(value)
    .toSorted()
    .map((key) => [key, isJsonObject(value[key]) ? (plain(value[key]) ?? {}) : plain(value[key])] as const);
  return rows.length === 0 ? null : Object.fromEntries(rows);
}
