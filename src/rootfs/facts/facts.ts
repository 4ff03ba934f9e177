import type { Path } from '../../bytes/path.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ByteString } from '../../bytes/bytes.ts';

/** What the headers of an ELF file say (System V ABI, "Object Files" and "Dynamic Linking"). */
export interface Elf {
  readonly bits: 32 | 64;
  readonly endian: 'little' | 'big';
  /** e_machine: 62 x86-64, 183 AArch64, … */
  readonly machine: number;
  /** PT_INTERP: the path of the dynamic loader. */
  readonly interpreter: ByteString | null;
  readonly soname: ByteString | null;
  readonly needed: readonly ByteString[];
  /** DT_RPATH and DT_RUNPATH as written, colons and all; null where there is none. */
  readonly rpath: ByteString | null;
  readonly runpath: ByteString | null;
  /** Functions that it imports, of those in `knownImports`. */
  readonly imports: ReadonlySet<string>;
  /** Why some of this is not known: the file is damaged, or its tables lie where no bounded reading finds them. */
  readonly trouble: string | null;
}

/** What one layer's files hold, as far as the closure must know it: by entry of the tar. Depends on the layer's bytes only. */
export interface LayerFacts {
  readonly elf: ReadonlyMap<number, Elf>;
  /** What follows `#!`, up to the end of the line or 255 bytes, spaces trimmed at both ends. */
  readonly scripts: ReadonlyMap<number, ByteString>;
  /** Whole contents of the files that were asked for. */
  readonly contents: ReadonlyMap<number, Uint8Array>;
  /** sha256 of the contents of files, where the scan was asked for them; not of sparse files. */
  readonly digests: ReadonlyMap<number, Digest>;
  /**
   * A name for what a plain file is, contents and all attributes but its path: 32 bytes, one for each file that has data,
   * where the scan was asked for them.
   */
  readonly twins: ReadonlyMap<number, ByteString>;
}

/** The same by path of the merged filesystem. Paths are literal: resolve symlinks first. Null for what the file is not. */
export interface FileFacts {
  elf(path: Path): Elf | null;
  script(path: Path): ByteString | null;
  /** Null too where nobody had asked for the contents, or the file is too large. */
  contents(path: Path): Uint8Array | null;
}

/** Which files' contents a scan keeps: the most bytes that are wanted of the file at this path, or 0. */
export type ContentProbe = (path: Path) => number;
