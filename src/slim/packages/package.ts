import type { Filesystem } from '../../changeset/filesystem.ts';
import type { Path } from '../../changeset/path.ts';
import type { ContentProbe, FileFacts } from '../facts/facts.ts';

/** A unit of installation: a distribution's package, a Python distribution, a Node package, … */
export interface Package {
  /** "dpkg", "apk", "rpm", "python", "node". */
  readonly kind: string;
  /** "libssl3:amd64", "requests", "express". */
  readonly name: string;
  readonly version: string | null;
  /** Those of its files that are in the image, symlinks on the way resolved; directories are left out. Sorted. */
  readonly files: readonly Path[];
}

/** Who installed what, read from the databases in the image. */
export interface PackageIndex {
  /** Most particular first (a Node package inside of a Debian one). Empty for what belongs to nobody. */
  ownersOf(path: Path): readonly Package[];
  readonly packages: readonly Package[];
}

/** A kind of database. */
export interface PackageDatabase {
  readonly kind: string;
  readonly reads: ContentProbe;
  read(fs: Filesystem, facts: FileFacts): readonly Package[];
}
