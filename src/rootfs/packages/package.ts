import type { Filesystem } from '../filesystem.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import type { ContentProbe, FileFacts } from '../facts/facts.ts';

/** Whose files: a distribution's or a language's package manager. Most particular first. */
export const packageKinds = ['node', 'python', 'ruby', 'composer', 'conda', 'apk', 'dpkg', 'rpm'] as const;

export type PackageKind = (typeof packageKinds)[number];

/** A unit of installation: a distribution's package, a Python distribution, a Node package, … */
export interface Package {
  readonly kind: PackageKind;
  /** "libssl3:amd64", "requests", "@types/node". */
  readonly name: ByteString;
  readonly version: string | null;
  /** Those of its files that are in the image, symlinks on the way resolved; directories are left out. Sorted. */
  readonly files: readonly Path[];
}

/** A database that is in the image, and cannot be read: what it lists belongs to nobody. */
export interface UnreadDatabase {
  readonly path: Path;
  /** For a person: "an older format of rpm (Berkeley DB)". */
  readonly why: string;
}

/** Who installed what, read from the databases in the image. */
export interface PackageIndex {
  /** Most particular first (a Node package inside of a Debian one). Empty for what belongs to nobody. */
  ownersOf(path: Path): readonly Package[];
  readonly packages: readonly Package[];
  readonly unread: readonly UnreadDatabase[];
}

/** What one kind of database came to. */
export interface DatabaseReading {
  readonly packages: readonly Package[];
  readonly unread: readonly UnreadDatabase[];
}

/** A kind of database. What is damaged in it is left out or named as unread: reading never throws. */
export interface PackageDatabase {
  readonly kind: PackageKind;
  readonly reads: ContentProbe;
  read(fs: Filesystem, facts: FileFacts): DatabaseReading;
}
