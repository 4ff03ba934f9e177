import { formatReference, parseReference } from '../../oci/reference.ts';

/** A name with its registry, as Docker stores it: `app:v1` is `docker.io/library/app:v1`. Odd names stay as they are. */
export function fullName(name: string): string {
  try {
    const parsed = parseReference(`docker://${name}`);
    if (parsed.kind !== 'registry') return name;
    return formatReference(
      parsed.tag === null && parsed.digest === null ? { ...parsed, tag: 'latest' } : parsed,
    );
  } catch {
    return name;
  }
}

export function tagOfName(name: string): string {
  const full = fullName(name);
  return full.slice(full.lastIndexOf(':') + 1);
}
