/**
 * Mirrors by the host that they copy, as the option `--mirror` gives them. Settings parse them; mirrored sources ask them.
 */
import { OcislimError } from '../errors.ts';
import { isRegistry, parseReference, type RegistryReference, withoutPassword } from '../oci/reference.ts';

/** A registry that has copies of what another one has. */
export interface Mirror {
  readonly host: string;
  /** The path before the name of each repository, without slashes at its ends; empty without one. */
  readonly prefix: string;
}

/** By the host whose images they copy: the mirrors, in the order in which they are asked. */
export type Mirrors = ReadonlyMap<string, readonly Mirror[]>;

/** Parses texts of the form `HOST=MIRROR[/PREFIX]`. @throws USAGE */
export function parseMirrors(texts: readonly string[]): Mirrors {
  const mirrors = new Map<string, Mirror[]>();
  for (const text of texts) {
    const [, of = '', host = '', path = ''] =
      /^([^=/\s]+)=(?:https:\/\/)?([^=/\s]+)(?:\/([^=\s]*))?$/.exec(text) ?? [];
    const prefix = withoutSlashes(path);
    const original = hostOf(of === 'index.docker.io' ? 'docker.io' : of);
    const mirror = hostOf(host);
    const whole = prefix === '' ? 'x' : `${prefix}/x`;
    if (original === null || mirror === null || !isRepository(mirror, whole))
      throw new OcislimError(
        'USAGE',
        `--mirror ${JSON.stringify(withoutPassword(text))}: write HOST=MIRROR[/PREFIX]`,
        {
          advice:
            'A host is a name with a dot, a name with a port, or localhost: docker.io=mirror.example:5000.',
        },
      );
    if (original === mirror && prefix === '')
      throw new OcislimError('USAGE', `--mirror ${JSON.stringify(text)}: a registry is not its own mirror`);
    mirrors.set(original, [...(mirrors.get(original) ?? []), { host: mirror, prefix }]);
  }
  return mirrors;
}

/** Removes the slashes at the end. A regular expression would take quadratic time for many slashes. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}

function hostOf(text: string): string | null {
  const reference = referenceOf(`${text}/x/y`);
  return reference?.repository === 'x/y' ? reference.host : null;
}

function isRepository(host: string, path: string): boolean {
  return referenceOf(`${host}/${path}/y`)?.repository === `${path}/y`;
}

function referenceOf(text: string): RegistryReference | null {
  try {
    const reference = parseReference(text);
    return isRegistry(reference) ? reference : null;
  } catch {
    return null;
  }
}

/** Returns the reference of an image at a mirror. */
export function mirrored(reference: RegistryReference, { host, prefix }: Mirror): RegistryReference {
  const { repository } = reference;
  return { ...reference, host, repository: prefix === '' ? repository : `${prefix}/${repository}` };
}
