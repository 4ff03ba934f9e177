/**
 * What `slim --record` has seen: the runs of the original, and that of the image that was made of it. Plain data, which is compared
 * (`compare-runs.ts`) and reported.
 */
import type { ByteString } from '../../../bytes/bytes.ts';
import type { ProbeResult } from '../../../probe/probe.ts';
import type { RunEnd } from '../../../trace/trace.ts';

/** What is known of an output: its bytes, and their digest `sha256:…`. */
export interface Measured {
  readonly length: number;
  readonly digest: string;
}

/** One run of an image, as far as runs are compared. */
export interface ProgramRun {
  readonly end: RunEnd;
  /** The standard output of a program that ended by itself; null for one that was told to end. */
  readonly output: Measured | null;
  readonly results: readonly ProbeResult[];
}

/** Something in which the run of the pruned image differs from all runs of the original. */
export interface RunDifference {
  /** `end`: how the program ended; `output`: its standard output; `probe`: what a probe got. */
  readonly kind: 'end' | 'output' | 'probe';
  /** The name of the probe; '' for another kind. */
  readonly name: string;
  /** What the original did, and what the pruned image does, as a person would say it: "200, 615 bytes". */
  readonly expected: string;
  readonly found: string;
}

/** Something in which the runs of the original disagree, so that it is not compared. */
export interface Unstable {
  /** `output`: the standard output; `probe`: the body of an answer. */
  readonly kind: 'output' | 'probe';
  /** The name of the probe; '' for the output. */
  readonly name: string;
}

/** A try of a pruned image. */
export interface Trial {
  readonly run: ProgramRun;
  readonly differences: readonly RunDifference[];
  /** Paths that the run asked for, which the original has and the pruned image has not. Sorted, without a leading slash. */
  readonly missing: readonly ByteString[];
}

/** Everything that a report says about recording and trying one image. */
export interface RecordingFacts {
  /** "linux/amd64". */
  readonly platform: string;
  readonly sandbox: 'bwrap' | 'unshare' | 'chroot';
  /** The command that ran: the program and its arguments. */
  readonly command: readonly string[];
  /** Paths that the runs of the original used. */
  readonly paths: number;
  /** The runs of the original, in their order: at least two. */
  readonly originals: readonly ProgramRun[];
  /** The tries of pruned images, in their order. Only the last is of the image that was published. None in a dry run. */
  readonly trials: readonly Trial[];
  /** The number of system calls that the seccomp profile allows, and whether the last try ran under it; null without --seccomp. */
  readonly seccomp: { readonly calls: number; readonly isTried: boolean } | null;
  /** Platforms that were pruned by the same paths, and not tried. */
  readonly alike: readonly string[];
  /** What the sandbox could not do as the image says, as rests of sentences. */
  readonly losses: readonly string[];
}
