/**
 * The interface of a rule: one reason for files to stay. Each file in `rules/` has one rule; `closeOver` asks them all.
 */
import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Path } from '../bytes/path.ts';
import type { Granularity } from '../image/trace-pruning.ts';
import type { Platform } from '../oci/platform.ts';
import type { Runtime } from '../oci/runtime.ts';
import type { ByteString } from '../bytes/bytes.ts';
import type { ContentProbe, FileFacts } from '../rootfs/facts/facts.ts';
import type { Trace, Uses } from '../trace/trace.ts';

/** A path that must stay, as a rule asks for it. A path that the image does not have is ignored, unless it is required. */
export interface Need {
  /** A name from the root of the image, with or without a leading slash. Symlinks on the way are followed, and stay. */
  readonly path: ByteString;
  /** The reason for people, behind the name of the rule: "needed as libssl.so.3". Names in it are bytes of the image. */
  readonly detail: ByteString;
  /** Whether it is a problem if the image does not have the path. Default: no. */
  readonly required?: boolean;
  /** Whether a symlink in the last component is meant itself, so that its target stays as a courtesy only. Default: no. */
  readonly itself?: boolean;
  /** Whether all contents of a directory stay. Default: no. */
  readonly below?: boolean;
  /** Default: `needed`. */
  readonly strength?: Strength;
}

/**
 * How strongly a path stays:
 * - `needed`: something breaks without it.
 * - `whole`: it belongs to a package or directory that was used. It keeps what it needs itself, but no further packages.
 * - `courtesy`: nothing needs it at run time (package databases, licences), so that rules and presets that name it win.
 */
export type Strength = 'needed' | 'whole' | 'courtesy';

/** What a rule sees. All paths are literal. */
export interface ClosureContext {
  /** The merged root filesystem, before anything is removed. */
  readonly fs: Filesystem;
  readonly facts: FileFacts;
  /** The part of the config by which runtimes start a container. */
  readonly runtime: Runtime;
  /** Null if the config does not state it. */
  readonly platform: Platform | null;
  readonly trace: Trace;
  readonly granularity: Granularity;
  /** The commands of `--keep-command`, each as its words. */
  readonly keepCommands: readonly (readonly string[])[];
  /** Returns whether a path stays, as far as is known. */
  isKept(path: Path): boolean;
  /** Returns how strongly a path stays, as far as is known; null for a path that does not stay. */
  strengthOf(path: Path): Strength | null;
  /** Returns the traced uses of a path, with the symlinks of its names resolved; 0 for none. */
  usesOf(path: Path): Uses;
}

/** A rule is pure: it reads only its context. What a path asks for stays at most as strongly as the path. */
export interface ClosureRule {
  /** The name in reports and in --explain: "elf-needed". */
  readonly name: string;
  /** What the rule keeps: a sentence for docs/closure.md. */
  readonly describe: string;
  /** The contents of files that the rule needs. It is asked for every path of every layer, and must be fast. */
  readonly reads?: ContentProbe;
  /** Yields what must stay for its own sake, and `undefined` where it pauses in a long computation. Called once. */
  roots?(context: ClosureContext): Iterable<Need | undefined>;
  /**
   * Yields what a path that stays needs. Called for files, symlinks and directories, and again when a path turns out to be needed
   * more strongly; not for a courtesy.
   */
  follow?(path: Path, context: ClosureContext): Iterable<Need>;
  /**
   * Yields what can be decided only when no path is left to follow, and `undefined` where it pauses. Called until no rule yields a new
   * path.
   */
  settle?(context: ClosureContext): Iterable<Need | undefined>;
}
