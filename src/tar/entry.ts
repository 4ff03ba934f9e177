import type { ByteString } from '../bytes/bytes.ts';

/** The kind of file that an entry makes. `link` is a hard link; `global` a PAX header for all that follows, which runtimes ignore. */
export type EntryKind = 'directory' | 'file' | 'link' | 'symlink' | 'char' | 'block' | 'fifo' | 'global';

/** One member of a tar with the header blocks that it came with. */
export interface TarEntry {
  readonly kind: EntryKind;
  /** The name as the archive spells it, extensions applied; not cleaned. */
  readonly name: ByteString;
  /** The target of a link as the archive spells it; empty for all other kinds. */
  readonly link: ByteString;
  readonly mode: number;
  /** The number of the owner. */
  readonly uid: number;
  /** The number of the group. */
  readonly gid: number;
  /** Seconds since 1970, with a fraction where the archive has one. */
  readonly mtime: number;
  /** Bytes that follow the head, without padding. For a sparse file that is less than its length. */
  readonly size: number;
  /**
   * The length that the archive states: of a sparse file that which a program sees, of links, directories and devices mostly 0.
   * Programs in Go show it as the size.
   */
  readonly length: number;
  /** Whether the body is that of a sparse file: pieces of the contents, in one form after a map of them. */
  readonly sparse: boolean;
  /** Whether it carries file capabilities (the xattr `security.capability`). */
  readonly capable: boolean;
  /** The component that it names (the xattr `user.component`). Absent: none. */
  readonly component?: ByteString | undefined;
  /** All header blocks verbatim: extensions, header, and the map blocks of an old GNU sparse file. */
  readonly head: Uint8Array;
}

/** How a tar ended: `garbage` is data after the end mark that no reader looks at. */
export type TarEnd = 'complete' | 'untidy' | 'garbage';
