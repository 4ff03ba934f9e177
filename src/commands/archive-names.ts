/**
 * Names the image in an archive that is written, since `docker load` and `podman load` tag it by that. Called by `rewrite.ts`, and by
 * the command line before the work.
 */
import { OcislimError } from '../errors.ts';
import type { Listener } from '../events.ts';
import { formOf, isRegistry, parseReference, type Reference } from '../oci/reference.ts';
import type { Source } from '../place/place.ts';

/** Refuses --name where it has no meaning. @throws USAGE */
export function checkNames(
  destinations: readonly Reference[],
  { name: names, inPlace }: { readonly name: readonly string[]; readonly inPlace: boolean },
): void {
  if (names.length === 0) return;
  if (inPlace)
    throw new OcislimError('USAGE', '--name and --in-place do not go together: the image keeps its names');
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

/** What naming an image may use. */
export interface NamingContext {
  readonly source: Source;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/**
 * Returns the destinations with the names that images get in archives: those in the references, else those of --name, else those that
 * the source has. An image without any name stays without one. Warns of names that `docker load` would refuse.
 */
export async function nameInArchive(
  destinations: readonly Reference[],
  names: readonly string[],
  { source, listener, signal }: NamingContext,
): Promise<readonly Reference[]> {
  const [first] = destinations;
  if (first === undefined || !formOf(first).isWrittenWhole) return destinations;
  if (destinations.some((each) => formOf(each).nameOf(each) !== null)) return destinations;
  const all = names.length > 0 ? names : await source.names(signal);
  const fitting = first.kind === 'docker-archive' ? dockerNames(all, listener) : all;
  return fitting.length === 0 ? destinations : fitting.map((name) => formOf(first).withName(first, name));
}

/** Returns the names that Docker allows, as it shows them, each once. Warns of the others: a tag alone counts where nothing else is left. */
function dockerNames(names: readonly string[], listener: Listener): readonly string[] {
  const warn = (message: string): void => listener({ type: 'warning', code: 'NAME_LEFT_OUT', message });
  const kept = new Set<string>();
  for (const name of names.filter((each) => !isTag(each))) {
    const known = dockerName(name);
    if (known !== null) kept.add(known);
    else
      warn(`the image does not get the name ${JSON.stringify(name)}, which Docker does not allow; ${advice}`);
  }
  const [tag] = names.filter(isTag);
  if (kept.size === 0 && tag !== undefined)
    warn(
      `the image has no name in the archive: ${JSON.stringify(tag)} is a tag without a repository; ${advice}`,
    );
  return [...kept];
}

const advice = '--name REPOSITORY:TAG gives it one';

/** Returns whether a name is a tag alone, which names no repository. */
function isTag(name: string): boolean {
  return !/[:/]/.test(name);
}

/** Returns a name as Docker shows it, `app:latest` for `docker.io/library/app`; null for one that it does not allow. */
function dockerName(name: string): string | null {
  try {
    const parsed = parseReference(`docker://${name}`);
    if (!isRegistry(parsed) || parsed.digest !== null || parsed.untagged) return null;
    const host = parsed.host === 'docker.io' ? '' : `${parsed.host}/`;
    const repository = host === '' ? parsed.repository.replace(/^library\//, '') : parsed.repository;
    return `${host}${repository}:${parsed.tag ?? 'latest'}`;
  } catch {
    return null;
  }
}
