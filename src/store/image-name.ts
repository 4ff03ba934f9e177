import { formatReference, isRegistry, parseReference } from '../oci/reference.ts';

/**
 * Returns a name with its registry and tag, as Docker stores it: `app` is `docker.io/library/app:latest`. A name that is
 * not a reference is returned as it is.
 */
export function fullName(name: string): string {
  try {
    const parsed = parseReference(`docker://${name}`);
    if (!isRegistry(parsed)) return name;
    const isNamed = parsed.tag !== null || parsed.digest !== null;
    return formatReference(isNamed ? parsed : { ...parsed, tag: 'latest', untagged: false });
  } catch {
    return name;
  }
}

/**
 * Returns the items that a name may mean, by the best of: exactly this name; the same name in full, as Docker and containerd read
 * names (`app` and `docker.io/library/app:latest`); a tag alone; the end of a name, as podman reads short ones
 * (`app:v1` for `localhost/app:v1`).
 */
export function itemsNamed<T>(
  items: readonly T[],
  namesOf: (item: T) => readonly string[],
  wanted: string,
): readonly T[] {
  for (const isMeant of meanings(wanted)) {
    const found = items.filter((item) => namesOf(item).some(isMeant));
    if (found.length > 0) return found;
  }
  return [];
}

function meanings(wanted: string): readonly ((name: string) => boolean)[] {
  const full = fullName(wanted);
  const repository = full.slice(full.lastIndexOf('/') + 1, full.lastIndexOf(':'));
  const end = `/${tagIn(wanted) === null ? `${wanted}:latest` : wanted}`;
  return [
    (name) => name === wanted,
    // A tag alone is not the name of a repository.
    // Reading a name in full costs most.
    (name) => /[:/]/.test(name) && name.includes(repository) && fullName(name) === full,
    (name) => tagIn(name) === wanted,
    (name) => name.endsWith(end),
  ];
}

/** Returns the tag that a name states; null where it states none. */
function tagIn(name: string): string | null {
  const colon = name.lastIndexOf(':');
  return colon < 0 || name.includes('/', colon) ? null : name.slice(colon + 1);
}

/** Returns the tag of a name. Default: latest. */
export function tagOfName(name: string): string {
  const full = fullName(name);
  return full.slice(full.lastIndexOf(':') + 1);
}
