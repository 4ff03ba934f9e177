import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Path } from '../bytes/path.ts';
import type { Granularity } from '../image/trace-pruning.ts';
import type { Platform } from '../oci/platform.ts';
import type { Runtime } from '../oci/runtime.ts';
import type { ByteString } from '../bytes/bytes.ts';
import type { ContentProbe, FileFacts } from '../rootfs/facts/facts.ts';
import type { Trace, Uses } from '../trace/trace.ts';

/** Something that must stay, as a rule asks for it. */
export interface Need {
  /** From the root of the image, a leading slash changes nothing; symlinks on the way are followed, and stay too. */
  readonly path: ByteString;
  /** For a person, after the rule's name: "needed as libssl.so.3". */
  readonly detail: ByteString;
  /** What has this name and is not in the image is a problem. Default: no. */
  readonly required?: boolean;
  /** A symlink is meant itself: where it leads stays as a courtesy only. */
  readonly itself?: boolean;
  /** All that is below it stays too. */
  readonly below?: boolean;
  /**
   * `needed` (default): what needs it will break without it. `courtesy`: nothing at run time needs it (package databases,
   * licences), so that a rule that names it wins. `whole`: it only belongs to a package or directory that was used: it
   * brings what it needs itself to work, but no further packages.
   */
  readonly strength?: Strength;
}

export type Strength = 'needed' | 'whole' | 'courtesy';

/** What a rule sees. The filesystem is the merged one, before anything is removed. */
export interface ClosureContext {
  readonly fs: Filesystem;
  readonly facts: FileFacts;
  readonly runtime: Runtime;
  readonly platform: Platform | null;
  readonly trace: Trace;
  readonly granularity: Granularity;
  /** Commands that must go on working besides the image's own: words, the first a program. */
  readonly keepCommands: readonly (readonly string[])[];
  /** Stays this path (literal, free of symlinks), as far as is known by now? */
  isKept(path: Path): boolean;
  /** How strongly; null where it does not stay so far. */
  strengthOf(path: Path): Strength | null;
  /** What the trace saw of this very path once its symlinks are resolved; 0 for nothing. */
  usesOf(path: Path): Uses;
}

/**
 * One reason for files to stay. Pure: it never reads anything but its context. The closure asks `roots` once, `follow` for
 * each path that stays (files, symlinks and directories alike, free of symlinks on the way; again when it turns out to be
 * needed more strongly; never for what stays as a courtesy), and `settle` whenever nothing is left to follow, until that
 * brings nothing new either. What a path asks for stays no more strongly than the path itself.
 */
export interface ClosureRule {
  /** As reports and --explain name it: "elf-needed". */
  readonly name: string;
  /** A sentence for the documentation. */
  readonly describe: string;
  /** Which contents it must see. Cheap: it is asked for every path of every layer. */
  readonly reads?: ContentProbe;
  roots?(context: ClosureContext): Iterable<Need>;
  follow?(path: Path, context: ClosureContext): Iterable<Need>;
  settle?(context: ClosureContext): Iterable<Need>;
}
