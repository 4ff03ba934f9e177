import type { Filesystem } from '../filesystem.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import type { ContentProbe, FileFacts } from '../facts/facts.ts';

/** The package managers of languages and distributions, the most specific first. */
export const packageKinds = ['node', 'python', 'ruby', 'composer', 'conda', 'apk', 'dpkg', 'rpm'] as const;

export type PackageKind = (typeof packageKinds)[number];

/** A unit of installation: a package of a distribution, a Python distribution, a Node package, … */
export interface Package {
  readonly kind: PackageKind;
  /** The name as the package manager writes it: "libssl3:amd64", "requests", "@types/node". */
  readonly name: ByteString;
  /** Null where its files do not tell it. */
  readonly version: string | null;
  /** The paths of those of its files that are in the image, sorted. Symlinks on the way are resolved; directories are left out. */
  readonly files: readonly Path[];
}

/** A database that is in the image and cannot be read. The files that it lists have no owner. */
export interface UnreadDatabase {
  readonly path: Path;
  /** The reason, for people, behind "it cannot be read:". */
  readonly why: string;
}

/** The packages of an image, as the databases in it tell. */
export interface PackageIndex {
  /** Returns the packages that a file belongs to, the most specific first: a Node package before the Debian one that contains it. */
  ownersOf(path: Path): readonly Package[];
  readonly packages: readonly Package[];
  readonly unread: readonly UnreadDatabase[];
}

/** The result of reading all databases of one kind. */
export interface DatabaseReading {
  readonly packages: readonly Package[];
  readonly unread: readonly UnreadDatabase[];
}

/** A kind of database. Reading never throws: what is damaged is left out, or named in `unread`. */
export interface PackageDatabase {
  readonly kind: PackageKind;
  /** The files whose contents `read` needs. A scan asks it for every path. */
  readonly reads: ContentProbe;
  read(fs: Filesystem, facts: FileFacts): DatabaseReading;
}
