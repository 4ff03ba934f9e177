/**
 * Refuses documents that programs in Go read otherwise than we do, because they compare keys without case. Readers of manifests,
 * configs, layouts and Docker archives call it.
 */
import { OcislimError } from '../errors.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/**
 * The keys that a kind of document has, by their folded names. Programs in Go compare without case: they take `Layers` for
 * `layers`, and use the last of several.
 */
export type KnownKeys = ReadonlyMap<string, string>;

/** Makes a set of known keys out of their proper names. */
export function knownKeys(...names: readonly string[]): KnownKeys {
  return new Map(names.map((name) => [fold(name), name]));
}

/** Folds case as Go's encoding/json does to compare names: ſ (U+017F) is an s, the Kelvin sign (U+212A) a k. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/**
 * Refuses keys that differ from a known key in case only. Values that are not objects pass.
 * @param what the subject of error messages
 * @throws MANIFEST_INVALID
 */
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

/**
 * Refuses a known key that an object has in two spellings. Each spelling alone is accepted.
 * @param what the subject of error messages
 * @throws MANIFEST_INVALID
 */
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

/** Returns the spelling that an object uses for a key, in whatever case; the key itself where the object lacks it. */
export function spellingOf(object: JsonObject, name: string): string {
  if (Object.hasOwn(object, name)) return name;
  const folded = fold(name);
  return Object.keys(object).find((key) => fold(key) === folded) ?? name;
}
