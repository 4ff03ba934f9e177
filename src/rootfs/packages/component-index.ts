/**
 * Everything that a bill of materials lists: the packages of all databases with their details, and the distribution. It is wider than
 * the package index, so that what a bill knows never changes what the closure keeps.
 */
import type { ContentProbe, FileFacts } from '../facts/facts.ts';
import type { Filesystem } from '../filesystem.ts';
import { type Distribution, distributionOf, distributionProbe } from './distribution.ts';
import { type Component, componentKinds, type UnreadDatabase } from './package.ts';
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
export const componentProbe: ContentProbe = (path) => Math.max(detailProbe(path), distributionProbe(path));

/** Returns what an image is made of, in time and memory proportional to the number of its files. */
export function componentsOf(image: { readonly fs: Filesystem; readonly facts: FileFacts }): ComponentIndex {
  const { packages, unread } = packagesOf(image);
  const components: readonly Component[] = packages.filter(({ details }) => details.isInstalled);
  return {
    components: components.toSorted(byName),
    distribution: distributionOf(image.fs, image.facts),
    unread,
  };
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
