import { formatReference, isRegistry, parseReference } from '../../oci/reference.ts';

/**
 * Returns a name with its registry and tag, as Docker stores it: `app` is `docker.io/library/app:latest`. A name that is
 * not a reference is returned as it is.
 */
export function fullName(name: string): string {
  try {
    const parsed = parseReference(`docker://${name}`);
    if (!isRegistry(parsed)) return name;
    const isNamed = parsed.tag !== null || parsed.digest !== null;
    return formatReference(isNamed ? parsed : { ...parsed, tag: 'latest' });
  } catch {
    return name;
  }
}

/** Returns the tag of a name. Default: latest. */
export function tagOfName(name: string): string {
  const full = fullName(name);
  return full.slice(full.lastIndexOf(':') + 1);
}
