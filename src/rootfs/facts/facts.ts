/**
 * What is known of the contents of files: ELF headers, first lines, names in texts. A scan gathers it for each layer, and rules see
 * it through the merged root filesystem.
 */
import type { Path } from '../../bytes/path.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import type { VersionNeed } from './elf-versions.ts';
import type { FilePart } from './file-part.ts';
import type { Identities } from './identities.ts';
import type { SourceModules } from './named-modules.ts';
import type { ContentPrints } from './prints.ts';

/** The facts that the headers of an ELF file tell (System V ABI, "Object Files" and "Dynamic Linking"). */
export interface Elf {
  readonly bits: 32 | 64;
  readonly endian: 'little' | 'big';
  /** e_machine: 62 for x86-64, 183 for AArch64. */
  readonly machine: number;
  /** PT_INTERP: the path of the dynamic loader. Null for a static program and for most libraries. */
  readonly interpreter: ByteString | null;
  /** DT_SONAME: the name by which others need it. */
  readonly soname: ByteString | null;
  /** DT_NEEDED: the names of the libraries that it needs, each once. */
  readonly needed: readonly ByteString[];
  /** DT_RPATH and DT_RUNPATH: directories separated by colons, as written. */
  readonly rpath: ByteString | null;
  readonly runpath: ByteString | null;
  /** The functions of `knownImports` that it imports. */
  readonly imports: ReadonlySet<string>;
  /** The symbol versions that it defines: "GLIBC_2.38". Absent for a file without any, which then has all that others need of it. */
  readonly versions?: readonly ByteString[];
  /** The symbol versions that it needs of its libraries. Absent where it needs none. */
  readonly versionNeeds?: readonly VersionNeed[];
  /** Why some facts are missing: the file is damaged, or its tables are in a part of a large file that is not kept. */
  readonly trouble: string | null;
}

/** The facts about the files of one layer, by entry of its tar. They depend on the bytes of the layer only. */
export interface LayerFacts {
  readonly elf: ReadonlyMap<number, Elf>;
  /** What follows `#!` in scripts, up to the end of the line or 255 bytes, without spaces at both ends. */
  readonly scripts: ReadonlyMap<number, ByteString>;
  /** The contents of the files that a `ContentProbe` wanted, and of short scripts of shells. */
  readonly contents: ReadonlyMap<number, Uint8Array>;
  /**
   * The names in ELF files, and in sources of Python and Ruby, that no header tells: "libz.so.1" or, for any version, "libz.so*";
   * the bundles of CA certificates ("etc/ssl/cert.pem"). Files that name none are left out.
   */
  readonly mentions: ReadonlyMap<number, readonly ByteString[]>;
  /** The modules that sources name, and the class paths of archives of Java. Files that name none are left out. */
  readonly modules: ReadonlyMap<number, SourceModules>;
  /**
   * What archives of Java and programs of Go are made of. Files that are made of nothing known are left out. Empty unless the scan was
   * asked for it.
   */
  readonly parts: ReadonlyMap<number, readonly FilePart[]>;
  /** SHA-256 of the contents of files, except sparse ones. Empty unless the scan was asked for it. */
  readonly digests: ReadonlyMap<number, Digest>;
  /**
   * Hashes of 32 bytes over contents and attributes of regular files with data, without their paths: equal for files that a hard
   * link could replace. Empty unless the scan was asked for it.
   */
  readonly twins: ReadonlyMap<number, ByteString>;
  /** Fingerprints of contents. Empty unless the scan was asked for them. */
  readonly prints: ContentPrints;
  /** What the entries are, without the noise of a rebuild. Null unless the scan was asked for it. */
  readonly identities: Identities | null;
}

/** The facts of all layers, by path of the merged filesystem. Paths are literal: resolve symlinks first. */
export interface FileFacts {
  /** Returns the facts of an ELF file; null for other files. */
  elf(path: Path): Elf | null;
  /** Returns the first line of a script, without `#!`; null for other files. */
  script(path: Path): ByteString | null;
  /** Returns the libraries and bundles of certificates that the bytes of a file name; empty for none. */
  mentions(path: Path): readonly ByteString[];
  /** Returns the modules that a source names; null for one that names none, and for any other file. */
  modules(path: Path): SourceModules | null;
  /** Returns what an archive of Java or a program of Go is made of; empty for any other file. */
  parts(path: Path): readonly FilePart[];
  /** Returns the contents of a file; null if no `ContentProbe` wanted them, or for a file larger than it wanted. */
  contents(path: Path): Uint8Array | null;
}

/** Tells a scan which contents to keep: returns the most bytes that the file at this path may have, or 0. */
export type ContentProbe = (path: Path) => number;
