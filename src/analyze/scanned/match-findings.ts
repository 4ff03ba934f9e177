/**
 * Finds out what a pruning did to what scanners found: which findings went away with their packages or files. The report calls it for each
 * image that was pruned.
 */
import { utf8Bytes, utf8Text } from '../../bytes/bytes.ts';
import { cleanPath, type Path } from '../../bytes/path.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import {
  type Component,
  type ComponentKind,
  isOfDistribution,
  ownFiles,
} from '../../rootfs/packages/package.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { kindOf, type ScannedFinding } from './scanned.ts';

/**
 * What became of a finding. `gone`: nothing of its package, or none of its files, is left. `partly`: some files went. `stays`: nothing went.
 * `unmatched`: the image has no such package and no such file.
 */
export const findingFates = ['gone', 'partly', 'stays', 'unmatched'] as const;

export type FindingFate = (typeof findingFates)[number];

/** A finding, and what became of it. */
export interface MatchedFinding {
  readonly finding: ScannedFinding;
  readonly fate: FindingFate;
  /** The packages that it is about, as the image has them. */
  readonly components: readonly Component[];
}

/** An image before and after a pruning. */
export interface ScannedImage {
  readonly components: readonly Component[];
  readonly before: Filesystem;
  readonly after: Filesystem;
}

/** Matches findings with an image, in time proportional to their number and to that of the components. */
export function* matchFindingSteps(
  findings: readonly ScannedFinding[],
  image: ScannedImage,
): Steps<readonly MatchedFinding[]> {
  const byName = Map.groupBy(image.components, (component) => nameKey(nameOf(component)));
  const matched: MatchedFinding[] = [];
  for (const [i, finding] of findings.entries()) {
    if (i % itemsPerStep === itemsPerStep - 1) yield;
    matched.push(matchOne(finding, byName, image));
  }
  return matched;
}

function matchOne(
  finding: ScannedFinding,
  byName: ReadonlyMap<string, readonly Component[]>,
  image: ScannedImage,
): MatchedFinding {
  const components = componentsOf(finding, byName);
  if (components.length > 0) {
    const files = components.flatMap(ownFiles);
    const wasEmptied = files.length === 0 && components.some(({ details }) => details.missing > 0);
    return { finding, components, fate: wasEmptied ? 'gone' : fateOf(files, image, 'stays') };
  }
  // A database lists many packages: that it stays says nothing about one of them.
  const paths = pathsOf(finding).filter((path) => !databases.test(path) && isFile(image.before, path));
  return { finding, components, fate: fateOf(paths, image, 'unmatched') };
}

const databases = /^(?:var\/lib\/(?:dpkg|rpm)|(?:usr\/)?lib\/apk\/db|usr\/lib\/sysimage\/rpm)\//;

/** Returns the paths of a finding that lead to no place outside of the image. */
function pathsOf({ paths }: ScannedFinding): readonly Path[] {
  const inside = paths.filter((path) => !path.split('/').includes('..'));
  return inside.map((path) => cleanPath(utf8Bytes(path)));
}

function isFile(fs: Filesystem, path: Path): boolean {
  const kind = fs.kind(path);
  return kind !== null && kind !== 'directory';
}

/** Tells how much of some files is left. `none`: the fate where there are no files. */
function fateOf(files: readonly Path[], { after }: ScannedImage, none: FindingFate): FindingFate {
  if (files.length === 0) return none;
  const left = files.filter((path) => after.kind(path) !== null).length;
  return left === 0 ? 'gone' : left < files.length ? 'partly' : 'stays';
}

/** Finds the components that a finding is about: by name, kind and version; where a path is one of their files, only those. */
function componentsOf(
  finding: ScannedFinding,
  byName: ReadonlyMap<string, readonly Component[]>,
): readonly Component[] {
  const named = partsOf(finding);
  if (named === null) return [];
  const found = (byName.get(nameKey(named.name)) ?? []).filter(
    ({ kind, version }) =>
      (named.kind === null || named.kind === kind) && isSameVersion(named.version, version),
  );
  if (found.length < 2 || finding.paths.length === 0) return found;
  const paths = new Set(pathsOf(finding));
  const at = found.filter(({ files }) => files.some((path) => paths.has(path)));
  return at.length === 0 ? found : at;
}

/** What a finding says of its package. */
interface Named {
  readonly kind: ComponentKind | null;
  readonly name: string;
  readonly version: string | null;
}

/** Reads the package of a finding, from its URL where it has one. */
function partsOf({ name, version, kind, purl }: ScannedFinding): Named | null {
  const parsed = purl === null ? null : parsePurl(purl);
  if (parsed !== null && parsed.kind !== null) return { ...parsed, version: parsed.version ?? version };
  return name === null || name === '' ? null : { kind, name, version };
}

/** Reads kind, name and version of a package URL; null for another text. Namespaces of distributions are left out. */
function parsePurl(purl: string): Named | null {
  const [, type = '', path = '', version = ''] = /^pkg:\/*([^/]+)\/([^@?#]+)(?:@([^?#]*))?/.exec(purl) ?? [];
  const kind = kindOf(type);
  const [name, decoded] = [decode(path), decode(version)];
  if (name === null || decoded === null || name === '') return null;
  const base = name.slice(name.lastIndexOf('/') + 1);
  return {
    kind,
    name:
      kind !== null && isOfDistribution(kind)
        ? base
        : kind === 'java'
          ? name.replace(/\/([^/]*)$/, ':$1')
          : name,
    version: decoded === '' ? null : decoded,
  };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Returns the name that scanners know a component by: without an architecture. */
function nameOf({ name, details }: Component): string {
  return utf8Text(details.registryName ?? name);
}

/** Names that registries take for one have one key: Python's "Foo_Bar" and "foo-bar", "%40types/node" and "@types/node". */
function nameKey(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-');
}

/** Compares versions without epochs, which scanners write in different places, and without the "v" of Go. A missing one is any. */
function isSameVersion(one: string | null, other: string | null): boolean {
  if (one === null || other === null) return true;
  const bare = (version: string) => version.replace(/^\d+:/, '').replace(/^(?:v|go)(?=\d)/, '');
  return bare(one) === bare(other);
}
