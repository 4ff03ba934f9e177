/**
 * Names the image in an archive that is written, since `docker load` and `podman load` tag it by that. Called by `rewrite.ts`, and by
 * the command line before the work.
 */
import { OcislimError } from '../errors.ts';
import { formOf, isRegistry, parseReference, type Reference } from '../oci/reference.ts';
import type { Source } from '../place/place.ts';

/** Refuses --name where it has no meaning. @throws USAGE */
export function checkNames(destinations: readonly Reference[], names: readonly string[]): void {
  if (names.length === 0) return;
  for (const destination of destinations) {
    if (!formOf(destination).isWrittenWhole)
      throw new OcislimError(
        'USAGE',
        '--name names the image in an archive: this destination is named as a whole',
      );
    if (formOf(destination).nameOf(destination) !== null)
      throw new OcislimError('USAGE', '--name and a name in the destination do not go together');
  }
}

/**
 * Returns the destinations with the names that images get in archives: those in the references, else those of --name, else those that
 * the source has. An image without any name stays without one.
 */
export async function nameInArchive(
  destinations: readonly Reference[],
  names: readonly string[],
  source: Source,
  signal: AbortSignal,
): Promise<readonly Reference[]> {
  const [first] = destinations;
  if (first === undefined || !formOf(first).isWrittenWhole) return destinations;
  if (destinations.some((each) => formOf(each).nameOf(each) !== null)) return destinations;
  const all = names.length > 0 ? names : await source.names(signal);
  const fitting = first.kind === 'docker-archive' ? all.flatMap((name) => dockerName(name) ?? []) : all;
  return fitting.length === 0 ? destinations : fitting.map((name) => formOf(first).withName(first, name));
}

/** Returns a name as Docker shows it, `app:latest` for `docker.io/library/app`; null for a bare tag, which names no repository. */
function dockerName(name: string): string | null {
  if (!/[:/]/.test(name)) return null;
  try {
    const parsed = parseReference(`docker://${name}`);
    if (!isRegistry(parsed) || parsed.digest !== null) return null;
    const host = parsed.host === 'docker.io' ? '' : `${parsed.host}/`;
    const repository = host === '' ? parsed.repository.replace(/^library\//, '') : parsed.repository;
    return `${host}${repository}:${parsed.tag ?? 'latest'}`;
  } catch {
    return null;
  }
}
