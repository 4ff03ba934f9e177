/**
 * Everything that a bill of materials lists: the packages of all databases with their details, what single files are made of, and the
 * distribution. It is wider than the package index, so that what a bill knows never changes what the closure keeps.
 */
import type { ContentProbe, FileFacts } from '../facts/facts.ts';
import type { Filesystem } from '../filesystem.ts';
import { type Distribution, distributionOf, distributionProbe } from './distribution.ts';
import { utf8Bytes } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import type { FilePart } from '../facts/file-part.ts';
import { looseComponents, looseProbe } from './loose-manifests.ts';
import {
  type Component,
  componentKinds,
  isOfDistribution,
  noDetails,
  type PackageIndex,
  type UnreadDatabase,
} from './package.ts';
import { detailProbe, packagesOf } from './package-index.ts';

/** What an image is made of. */
export interface ComponentIndex {
  /** Sorted by kind, name and version. Packages that were removed, and of which a database remembers the settings, are left out. */
  readonly components: readonly Component[];
  /** Null for an image that states none. */
  readonly distribution: Distribution | null;
  readonly unread: readonly UnreadDatabase[];
}

/** Selects the contents that `componentsOf` reads. A scan with the probe of packages alone gives components without details. */
export const componentProbe: ContentProbe = (path) =>
  Math.max(detailProbe(path), distributionProbe(path), looseProbe(path));

/** Returns what an image is made of, in time and memory proportional to the number of its files. */
export function componentsOf(image: { readonly fs: Filesystem; readonly facts: FileFacts }): ComponentIndex {
  const index = packagesOf(image);
  const { packages, unread } = index;
  const installed: readonly Component[] = packages.filter(({ details }) => details.isInstalled);
  // The metadata of a package that a database of its language has is one of its files.
  const isKnown = (path: Path): boolean => index.ownersOf(path).some(({ kind }) => kind === 'python');
  const loose = looseComponents(image, isKnown);
  return {
    components: [...installed, ...loose, ...partsOf(image)]
      .map((each) => withOwner(each, index))
      .sort(byName),
    distribution: distributionOf(image.fs, image.facts),
    unread,
  };
}

/** Returns what the files of an image are made of. A module of Go that several programs hold is one component. */
function partsOf({
  fs,
  facts,
}: {
  readonly fs: Filesystem;
  readonly facts: FileFacts;
}): readonly Component[] {
  const components: Component[] = [];
  const modules = new Map<string, Path[]>();
  const seen = new Set<number>();
  for (const path of fs.all()) {
    const parts = facts.parts(path);
    const carrier = parts.length === 0 ? null : fs.carrier(path);
    // Another name of the same file adds nothing.
    if (carrier === null || seen.has(carrier.id)) continue;
    seen.add(carrier.id);
    for (const part of parts) {
      const key = JSON.stringify([part.name, part.version]);
      const known = part.kind === 'go' ? modules.get(key) : undefined;
      if (known !== undefined) {
        known.push(path);
        continue;
      }
      const files = [path];
      if (part.kind === 'go') modules.set(key, files);
      components.push(componentOf(part, files));
    }
  }
  return components;
}

function componentOf(
  { kind, name, version, inside, licences, supplier }: FilePart,
  files: readonly Path[],
): Component {
  return {
    kind,
    name: utf8Bytes(name),
    version,
    files,
    details: { ...noDetails, inside, licences, supplier },
  };
}

/** Adds the package of the distribution that brought the first file of a component, for other kinds than those of distributions. */
function withOwner(component: Component, index: PackageIndex): Component {
  const [first] = component.files;
  if (first === undefined || isOfDistribution(component.kind)) return component;
  const owner = index.ownersOf(first).find(({ kind }) => isOfDistribution(kind));
  return owner === undefined
    ? component
    : { ...component, details: { ...component.details, owner: owner.details.registryName ?? owner.name } };
}

function byName(a: Component, b: Component): number {
  return (
    componentKinds.indexOf(a.kind) - componentKinds.indexOf(b.kind) ||
    compare(a.name, b.name) ||
    compare(a.version ?? '', b.version ?? '') ||
    compare(a.files[0] ?? '', b.files[0] ?? '')
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
