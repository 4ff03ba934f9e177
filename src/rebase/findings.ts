/**
 * What a look at an image on its new base has found, as data: what it lacks there, and which files of the new base it hides. The check makes it, and
 * reports and errors show it.
 */
import type { ByteString } from '../bytes/bytes.ts';
import type { Path } from '../bytes/path.ts';

/** The kinds of what may be missing on a new base, each with a sentence for documents. */
export const lackKinds = {
  interpreter: 'the loader of a program, or the interpreter of a script, is not there',
  program: 'a program that a script or the config starts is not there',
  library: 'a shared library is not found',
  'symbol-version': 'a shared library is found, and lacks a version of its symbols: GLIBC_2.38',
  language: 'modules are for another version of their interpreter than the new base has',
  user: 'the user or group of the config is unknown, or has another number',
  file: 'a file among the arguments of the config is not there',
  symlink: 'a symlink of the application leads nowhere',
  'package-database': 'the database of packages is that of the old base',
} as const;

export type LackKind = keyof typeof lackKinds;

/** Something that worked before, and does not on the new base. */
export interface Lack {
  readonly kind: LackKind;
  /** What is missing: a path, the name of a library, `libc.so.6 (GLIBC_2.38)`. */
  readonly missing: ByteString;
  /** The files that need it, sorted; none where the config does. */
  readonly neededBy: readonly Path[];
  /** What is wrong, for people. */
  readonly sentence: string;
  /** What a person can do about it. */
  readonly advice: string;
}

/**
 * A file of the new base that containers do not see. `outdated`: the application brings the old base's file, or its own edit of it, which the new base has
 * otherwise. `replaced`: the application has a file of that name, and the old base had none. `deleted`: so it deletes what the old base did not have.
 */
export interface HiddenFile {
  readonly path: Path;
  readonly how: 'outdated' | 'replaced' | 'deleted';
}

/** What was found for one image. */
export interface RebaseFindings {
  readonly lacks: readonly Lack[];
  readonly hidden: readonly HiddenFile[];
}
