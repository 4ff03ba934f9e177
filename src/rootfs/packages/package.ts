/**
 * What is known of packages: the types that all readers of databases give. The closure, the analysis and bills of materials work with
 * them.
 */
import type { Filesystem } from '../filesystem.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import type { ContentProbe, FileFacts } from '../facts/facts.ts';

/** The package managers of languages and distributions, the most specific first. */
export const packageKinds = ['node', 'python', 'ruby', 'composer', 'conda', 'apk', 'dpkg', 'rpm'] as const;

export type PackageKind = (typeof packageKinds)[number];

/** The kinds of components in a bill of materials: packages, and what is inside of single files. */
export const componentKinds = [...packageKinds, 'java', 'go'] as const;

export type ComponentKind = (typeof componentKinds)[number];

/** Returns whether a kind is that of a distribution. */
export function isOfDistribution(kind: ComponentKind): boolean {
  return kind === 'apk' || kind === 'dpkg' || kind === 'rpm';
}

/** What a bill of materials lists. */
export interface Component {
  readonly kind: ComponentKind;
  /** The name as the package manager writes it: "libssl3:amd64", "requests", "@types/node". */
  readonly name: ByteString;
  /** As text. Null where its files do not tell it. */
  readonly version: string | null;
  /** The paths of those of its files that are in the image, sorted. Symlinks on the way are resolved; directories are left out. */
  readonly files: readonly Path[];
  /** Those of its files that stand where the package has a directory: symlinks such as `/bin`. Default: none. */
  readonly directories?: readonly Path[];
  readonly details: PackageDetails;
}

/** Returns the files of a component without those that stand where it has a directory. */
export function ownFiles({ files, directories }: Component): readonly Path[] {
  if (directories === undefined) return files;
  const ways = new Set(directories);
  return files.filter((path) => !ways.has(path));
}

/** A unit of installation: a package of a distribution, a Python distribution, a Node package, … */
export interface Package extends Component {
  readonly kind: PackageKind;
  /** The times at which it was changed or built, in seconds since 1970, where its database tells them. Default: none. */
  readonly changes?: readonly number[];
}

/** What a database tells of a package in addition. Texts are as they are written there. */
export interface PackageDetails {
  /** The name in its registry, where it differs from that of the package: without an architecture, or behind an alias. */
  readonly registryName: ByteString | null;
  readonly architecture: string | null;
  /** The source package that it was built from, where that has another name or version. */
  readonly source: { readonly name: string; readonly version: string | null } | null;
  /** Identifiers or expressions of licences, each once. */
  readonly licences: readonly string[];
  /** The maintainer, vendor or author. */
  readonly supplier: string | null;
  /** Qualifiers of its package URL that only its kind has, such as the channel of conda. */
  readonly qualifiers: Readonly<Record<string, string>>;
  /** Number of files that the database lists and the image does not have, without documentation and translations. */
  readonly missing: number;
  /** The part of its file that a component is: an archive in an archive, a module in a program. Null for one with files of its own. */
  readonly inside: string | null;
  /** The package of the distribution that brought a component of another kind; null for none. */
  readonly owner: ByteString | null;
  /** Whether the database says that the package is there: dpkg also remembers removed ones. */
  readonly isInstalled: boolean;
}

/** The details of a package of which the database tells none. */
export const noDetails: PackageDetails = {
  registryName: null,
  architecture: null,
  source: null,
  licences: [],
  supplier: null,
  qualifiers: {},
  missing: 0,
  inside: null,
  owner: null,
  isInstalled: true,
};

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

/** What a database becomes without some packages. */
export interface ThinnedDatabase {
  /** Files with stanzas of several packages: their contents without those that go, byte for byte as before in the rest. */
  readonly edited: readonly EditedDatabase[];
  /** Files that are about one of the packages alone, and go with it. */
  readonly gone: readonly PackageFile[];
}

/** A file of a database that is about one package. */
export interface PackageFile {
  readonly path: Path;
  readonly package: Package;
  /** Whether the file is what lists the package. Another one is of no use once the package is not listed. */
  readonly isListing: boolean;
}

/** A file of a database without the stanzas of some packages. */
export interface EditedDatabase {
  readonly path: Path;
  readonly contents: Uint8Array;
  /** The packages whose stanzas went, in the order of the file. */
  readonly packages: readonly Package[];
}

/** A kind of database. Reading never throws: what is damaged is left out, or named in `unread`. */
export interface PackageDatabase {
  readonly kind: PackageKind;
  /** The files whose contents `read` needs. A scan asks it for every path. */
  readonly reads: ContentProbe;
  /** The files whose contents tell details. A scan for a bill of materials asks it too. Default: those of `reads`. */
  readonly describes?: ContentProbe;
  read(fs: Filesystem, facts: FileFacts): DatabaseReading;
  /** Takes packages out, which `read` has returned for the same image. Absent from databases that are not edited. */
  readonly without?: (fs: Filesystem, facts: FileFacts, packages: readonly Package[]) => ThinnedDatabase;
}
