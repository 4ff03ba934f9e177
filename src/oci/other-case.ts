import { OcislimError } from '../errors.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/**
 * The names of members that a document knows, to be met in any case: programs in Go take `Layers` for `layers`, and the
 * last one counts.
 */
export type KnownKeys = ReadonlyMap<string, string>;

export function knownKeys(...names: readonly string[]): KnownKeys {
  return new Map(names.map((name) => [fold(name), name]));
}

/** Without case as Go's encoding/json compares names: ſ (U+017F) is an s, the Kelvin sign (U+212A) a k. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** @throws MANIFEST_INVALID for a member of one of these values that is a known one but for its case */
export function refuseOtherCase(values: readonly unknown[], known: KnownKeys, what: string): void {
  for (const value of values) {
    if (!isJsonObject(value)) continue;
    for (const key of Object.keys(value)) {
      const name = known.get(fold(key)) ?? key;
      if (name === key) continue;
      throw new OcislimError(
        'MANIFEST_INVALID',
        `${what} has the key ${JSON.stringify(key)}, which some programs take for "${name}"; it could be read in two ways`,
      );
    }
  }
}

/** @throws MANIFEST_INVALID for a known member that a value has in two spellings */
export function refuseTwoSpellings(value: unknown, known: KnownKeys, what: string): void {
  if (!isJsonObject(value)) return;
  const seen = new Map<string, string>();
  for (const key of Object.keys(value)) {
    const folded = fold(key);
    if (!known.has(folded)) continue;
    const other = seen.get(folded);
    if (other !== undefined)
      throw new OcislimError(
        'MANIFEST_INVALID',
        `${what} has the keys ${JSON.stringify(other)} and ${JSON.stringify(key)}, which some programs take for one; it could be read in two ways`,
      );
    seen.set(folded, key);
  }
}

/** The name that a member has in this object, in whatever case; `name` itself where there is none. */
export function spellingOf(object: JsonObject, name: string): string {
  if (Object.hasOwn(object, name)) return name;
  const folded = fold(name);
  return Object.keys(object).find((key) => fold(key) === folded) ?? name;
}
