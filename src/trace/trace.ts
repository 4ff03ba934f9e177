/**
 * This room reads what tracing tools record of a running container, and holds it as one `Trace`: which paths a program used,
 * and how. It knows neither images nor their files: which of the paths exist, and where symlinks lead, is for `closure`.
 */
import type { Digest } from '../oci/digest.ts';
import type { ByteString } from '../bytes/bytes.ts';
import type { Rights } from './rights.ts';

/**
 * A path as a program named it: from the root of the container, without leading or doubled slashes, and without `.`. It may
 * hold `..` and lead through symlinks, since only the image can tell where those lead. A path that begins with `./`, or is
 * `.`, counts from the directory in which the program was started, where the trace does not tell it: see `placeTrace`.
 */
export type TracedPath = ByteString;

/** Ways to use a path. Values are bits, since a program may use one path in several ways. */
export const uses = {
  /** Opened to be read, or opened where the format does not tell for what. */
  open: 1,
  /** Executed: the file itself, not the interpreter that the kernel opens for it. */
  exec: 2,
  /** Looked at, with symlinks followed: stat, access. */
  stat: 4,
  /** Opened as a directory, whose entries were read. */
  list: 8,
  /** Opened to be written, created, renamed or removed. */
  write: 16,
  /** The symlink itself was meant (lstat, readlink). Without another bit, no call followed it. */
  link: 32,
  /** A call failed in a way that a path without a file would not have caused: something is there, or on the way to it. */
  fail: 64,
  /** The same of a call that does not follow a symlink. */
  failLink: 128,
  /** A socket in the file system that was connected or sent to. It is looked at, too. */
  connect: 256,
  /**
   * What was there before does not matter: the run began with an opening that makes the file where it is missing and empties it where it is there
   * (O_CREAT with O_TRUNC), and afterwards only did that again or removed it. It comes with `write`.
   */
  replaced: 512,
} as const;

/** A set of the bits of `uses`. */
export type Uses = number;

/** Returns the uses of a path that two traces show, or two names that lead to it: it is replaced only where both say so. */
export function bothUses(one: Uses, other: Uses): Uses {
  return ((one | other) & ~uses.replaced) | (one & other & uses.replaced);
}

/** Adds uses of a path to those of others. */
export function addUses<P extends TracedPath>(paths: Map<P, Uses>, path: P, bits: Uses): void {
  const known = paths.get(path);
  paths.set(path, known === undefined ? bits : bothUses(known, bits));
}

/**
 * A change of names that the traced run made, by which a later name leads to something that the image has under another one:
 * - `symlink`: `path` was made a symlink to `target`, which is as the program wrote it.
 * - `moved`: `path` has been what `from` was (rename, a hard link, a bind mount). Of a directory, this includes its contents.
 */
export type NameChange =
  | { readonly kind: 'symlink'; readonly path: TracedPath; readonly target: ByteString }
  | { readonly kind: 'moved'; readonly path: TracedPath; readonly from: TracedPath };

/** How a traced run ended. */
export interface RunEnd {
  /** The exit status; for a signal 128 plus its number, as shells report it. */
  readonly status: number;
  /** The signal that ended the command, "SIGTERM"; null where it exited. */
  readonly signal: string | null;
  /** Why the command was told to end: `--for`, or a signal that a person or program sent. Null where it ended by itself. */
  readonly stopped: 'for' | 'signal' | null;
  /** How long it ran; null where the trace does not tell. */
  readonly seconds: number | null;
}

/** Paths that a recorded run opened, and that its image does not have. */
export interface NotInImage {
  /** How many there are. Of several recordings, the sum. */
  readonly count: number;
  /** The first few of them, sorted. */
  readonly first: readonly TracedPath[];
}

/** What one or several traces saw, merged. It is plain data, except for the maps; `trace-file.ts` stores it as a file. */
export interface Trace {
  /** The name in messages: "app.strace", "app.strace and db.strace". */
  readonly name: string;
  /** The names of the formats of all merged traces: "strace", "fatrace". */
  readonly formats: readonly string[];
  /** The platform, "linux/amd64"; null where the trace does not tell it. */
  readonly platform: string | null;
  /** The digest of the manifest of the traced image; null where the trace does not tell it. */
  readonly image: Digest | null;
  readonly paths: ReadonlyMap<TracedPath, Uses>;
  /** The changes of names that the runs made, each once, in the order in which they came first. */
  readonly changes: readonly NameChange[];
  /** How each run ended. Runs whose end no trace shows are absent. */
  readonly ends: readonly RunEnd[];
  /** What the recording opened that the image does not have; null where it did not compare. */
  readonly notInImage: NotInImage | null;
  /** What the traces cannot show, as sentences without a subject: "does not show …". */
  readonly gaps: readonly string[];
  /** Whether files may have been opened that the trace cannot show, so that at least whole packages must stay. */
  readonly isBlind: boolean;
  /** Whether the format tells executions from openings. If so, a trace without any execution is suspicious. */
  readonly knowsExecs: boolean;
  /** System calls by name, with the number of times that each was seen. Empty for formats without system calls. */
  readonly syscalls: ReadonlyMap<string, number>;
  /** Whether the trace holds every system call, not only those on files. Only then is `syscalls` complete. */
  readonly hasAllSyscalls: boolean;
  /** The sockets and capabilities that the run needed. */
  readonly rights: Rights;
  /** The traced program and its arguments; null where the trace does not tell them. */
  readonly command: readonly ByteString[] | null;
  /** Number of uses of paths outside of every `--trace-root`, which were left out. */
  readonly outside: number;
  /** Number of lines (records) that were read, without empty ones. */
  readonly lines: number;
  readonly unreadable: Unreadable;
}

/** Lines (records) that the reader of the format could not make sense of. */
export interface Unreadable {
  readonly count: number;
  /** The first few of them, cut to 200 bytes. `line` counts from 1. */
  readonly samples: readonly { readonly file: string; readonly line: number; readonly text: ByteString }[];
}
