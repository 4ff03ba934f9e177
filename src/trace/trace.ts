import type { Digest } from '../oci/digest.ts';
import type { ByteString } from '../bytes/bytes.ts';

/**
 * A path as a program named it: from the root of the container, without leading or doubled slashes and without `.`, but
 * maybe with `..` and through symlinks, since only the image can tell where those lead. One that begins with `./`, or is
 * `.`, counts from where the program was started, which the trace does not tell: see `placeTrace`.
 */
export type TracedPath = ByteString;

/** What was done with a path, successfully. Values are bits: one path may have been used in several ways. */
export const uses = {
  /** Opened to be read (or no format can say for what). */
  open: 1,
  /** Executed: the file itself, not the interpreter that the kernel opens for it. */
  exec: 2,
  /** Looked at, symlinks followed: stat, access. */
  stat: 4,
  /** Opened as a directory, whose entries were read. */
  list: 8,
  /** Opened to be written, created, renamed or removed. */
  write: 16,
  /** The symlink itself was meant (lstat, readlink). Alone: nobody followed it. */
  link: 32,
} as const;

export type Uses = number;

/** What one or several traces saw, merged. Plain data but for the maps; see `trace-file.ts` for it as a file. */
export interface Trace {
  /** For messages: "app.strace", "app.strace and db.strace". */
  readonly name: string;
  /** "strace", "fatrace", … of all that were merged. */
  readonly formats: readonly string[];
  /** "linux/amd64" where the trace says so. */
  readonly platform: string | null;
  /** The manifest of the image that was traced, where the trace says so. */
  readonly image: Digest | null;
  readonly paths: ReadonlyMap<TracedPath, Uses>;
  /** Does the format tell executions from openings? Then a trace without any is suspicious. */
  readonly knowsExecs: boolean;
  /** System calls by name, with how often each was seen; empty where the format has none. */
  readonly syscalls: ReadonlyMap<string, number>;
  /** Does it hold every system call, not only those on files? Only then is a list of them complete. */
  readonly hasAllSyscalls: boolean;
  /** Program and arguments that were traced, where the trace says so. */
  readonly command: readonly ByteString[] | null;
  /** Uses of paths that lie outside of every `--trace-root`, and were left out. */
  readonly outside: number;
  readonly lines: number;
  /** Lines (records) that nobody could make sense of. */
  readonly unreadable: Unreadable;
}

export interface Unreadable {
  readonly count: number;
  /** The first few. */
  readonly samples: readonly { readonly file: string; readonly line: number; readonly text: ByteString }[];
}
