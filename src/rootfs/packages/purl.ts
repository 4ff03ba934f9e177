/**
 * Makes package URLs (ECMA-427, "Package-URL specification", and its definitions of types), by which scanners and registries know
 * packages. Bills of materials and the analysis name packages by them.
 */
import { utf8Text } from '../../bytes/bytes.ts';
import type { Distribution } from './distribution.ts';
import type { Component } from './package.ts';

/** What a package URL is made of. */
type Named = Pick<Component, 'kind' | 'name' | 'version' | 'details'>;

/** The parts of a package URL, normalised for its type, and not yet encoded. */
interface Parts {
  readonly type: string;
  /** Segments separated by slashes; '' for none. */
  readonly namespace: string;
  readonly name: string;
  readonly version: string | null;
  readonly qualifiers?: Readonly<Record<string, string | null>>;
}

/** Vendors whose namespace is not the ID in os-release. */
const vendors: Readonly<Record<string, string>> = {
  rhel: 'redhat',
  'opensuse-leap': 'opensuse',
  'opensuse-tumbleweed': 'opensuse',
  sles: 'suse',
  sled: 'suse',
  ol: 'oracle',
  amzn: 'amazon',
};

/**
 * Returns the package URL of a component. Null where its type demands what is not known: a name, or the vendor of a package of a
 * distribution.
 */
export function purlOf(component: Named, distribution: Distribution | null): string | null {
  const parts = partsOf(component, distribution);
  return parts === null || parts.name === '' ? null : writePurl(parts);
}

function partsOf(component: Named, distribution: Distribution | null): Parts | null {
  const { kind, version, details } = component;
  const name = utf8Text(details.registryName ?? component.name);
  const lower = name.toLowerCase();
  const { qualifiers } = details;
  switch (kind) {
    case 'apk':
    case 'dpkg':
      return ofDistribution(
        kind === 'apk' ? 'apk' : 'deb',
        { name: lower, version },
        component,
        distribution,
      );
    case 'rpm': {
      const [, epoch = null, rest = version] = /^(\d+):(.*)$/.exec(version ?? '') ?? [];
      const parts = ofDistribution('rpm', { name, version: rest }, component, distribution);
      return parts === null ? null : { ...parts, qualifiers: { ...parts.qualifiers, epoch } };
    }
    case 'python':
      return { type: 'pypi', namespace: '', name: lower.replace(/[-_.]+/g, '-'), version };
    case 'node':
      return { type: 'npm', ...scoped(lower), version };
    case 'composer':
      return { type: 'composer', ...scoped(lower), version };
    case 'ruby':
      return { type: 'gem', namespace: '', name, version, qualifiers };
    case 'conda':
      return { type: 'conda', namespace: '', name, version, qualifiers };
    case 'java': {
      // "group:artifact"; an archive without coordinates has a name only, which its type does not allow.
      const colon = name.indexOf(':');
      if (!/[^/]/.test(name.slice(0, Math.max(colon, 0)))) return null;
      return {
        type: 'maven',
        namespace: name.slice(0, colon),
        name: name.slice(colon + 1),
        version,
        qualifiers,
      };
    }
    case 'go':
      return { type: 'golang', ...scoped(lower), version };
  }
}

/** Splits "scope/name" at its last slash. */
function scoped(name: string): { readonly namespace: string; readonly name: string } {
  const slash = name.lastIndexOf('/');
  return { namespace: name.slice(0, Math.max(0, slash)), name: name.slice(slash + 1) };
}

function ofDistribution(
  type: string,
  { name, version }: { readonly name: string; readonly version: string | null },
  { details: { architecture, source } }: Named,
  distribution: Distribution | null,
): Parts | null {
  if (distribution === null) return null;
  const { id } = distribution;
  return {
    type,
    namespace: vendors[id] ?? id,
    name,
    version,
    qualifiers: {
      arch: architecture,
      distro: distribution.version === null ? id : `${id}-${distribution.version}`,
      // No part of the definition of a type. Scanners look for vulnerabilities of Debian by the source package.
      upstream:
        source === null ? null : source.version === null ? source.name : `${source.name}@${source.version}`,
    },
  };
}

/** Writes a package URL. Its qualifiers are sorted, and those without a value are left out. */
export function writePurl({ type, namespace, name, version, qualifiers = {} }: Parts): string {
  const segments = namespace.split('/').filter((segment) => segment !== '');
  const path = [...segments, name].map(encode).join('/');
  const told = Object.entries(qualifiers)
    .filter((each): each is [string, string] => each[1] !== null && each[1] !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${encode(value)}`)
    .join('&');
  const at = version === null || version === '' ? '' : `@${encode(version)}`;
  return `pkg:${type}/${path}${at}${told === '' ? '' : `?${told}`}`;
}

/** Encodes a component: letters, digits, `.-_~` and the colon stay as they are, every other byte of its UTF-8 becomes `%XX`. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':');
}
