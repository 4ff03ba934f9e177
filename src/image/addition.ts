/**
 * New layers of files of this machine, as plain data. Plans hold them, the room `build` writes their tars, and the jobs find out
 * where in the image they go.
 */
import { join, type Path, parentOf, root } from '../bytes/path.ts';
import type { Rule } from '../rules/rule.ts';

/** A change of permission bits: all bits, or the clauses of a symbolic mode (POSIX chmod) in their order. */
export type ModeChange =
  | { readonly kind: 'octal'; readonly mode: number }
  | { readonly kind: 'symbolic'; readonly clauses: readonly ModeClause[] };

/** One clause: `u=rwX`. */
export interface ModeClause {
  /** Some of the letters `ugo`. */
  readonly classes: string;
  readonly operation: '+' | '-' | '=';
  /** Some of the letters `rwxXst`. */
  readonly permissions: string;
}

/** What to write into a new layer, and how. */
export interface Addition {
  /** `directory`: what is in it. `file`: one file. `tar`: the entries of a tar, as they are. */
  readonly kind: 'directory' | 'file' | 'tar';
  /** The absolute path on this machine. */
  readonly path: string;
  /** The path in the image, where `directory` and `tar` are put and `file` gets its name. The root of the image is empty. */
  readonly destination: Path;
  /** Whether the destination is a directory that the file goes into, whatever the image has there. */
  readonly into: boolean;
  /** The name of a file that goes into a directory. */
  readonly name: Path;
  /** Whether directories below a directory go where symlinks of the image lead. What else does not fit replaces what the image has. */
  readonly follows: boolean;
  /** What is left out of a directory; the last rule that matches counts. */
  readonly rules: readonly Rule[];
  /** The owner of everything; null keeps the numbers that files have. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** The permission bits of everything but symlinks; null keeps them. */
  readonly mode: ModeChange | null;
  /** Seconds since 1970, for everything; null keeps the times of files. */
  readonly mtime: number | null;
  /** The time of directories that are made above the destination: seconds since 1970. */
  readonly madeTime: number;
  /** What the history of the image says of the layer. It names no path of this machine. */
  readonly createdBy: string;
  /** Whether extended attributes are read. */
  readonly xattrs: boolean;
}

/** Where an addition goes in an image whose files are known. */
export interface Placement {
  /** The path of the directory or file, free of the symlinks of the image. */
  readonly destination: Path;
  /** Whether the image has a directory there, which keeps its attributes. */
  readonly exists: boolean;
  /** The directories above it that the image lacks, parents first. */
  readonly made: readonly Path[];
  /** Where directories go that the image has as symlinks. */
  readonly redirects: readonly Redirect[];
}

/** A directory that goes elsewhere in the image. */
export interface Redirect {
  /** The path below the directory of this machine that is added. */
  readonly from: Path;
  /** The path in the image. It has a directory there. */
  readonly to: Path;
}

/** Returns where an addition goes in an image without files. */
export function placeInNothing({ destination, into, name, kind }: Addition): Placement {
  const path = kind === 'file' && into ? join(destination, name) : destination;
  return { destination: path, exists: path === root, made: ancestors(path), redirects: [] };
}

/** Returns whether where an addition goes depends on what the image has. What goes to its root, as it is, does not. */
export function dependsOnImage({ destination, follows }: Addition): boolean {
  return destination !== root || follows;
}

/** Returns the directories above a path, without the root, parents first. */
export function ancestors(path: Path): readonly Path[] {
  const above: Path[] = [];
  for (let at = parentOf(path); at !== root; at = parentOf(at)) above.unshift(at);
  return above;
}
