import type { Digest } from '../oci/digest.ts';

/**
 * How much stays beyond what is needed. `file`: nothing. `package`: whole packages of which a file was used. `directory`: those,
 * and all files in the directories of used files. Each keeps what the one before it keeps.
 */
export type Granularity = 'file' | 'package' | 'directory';

export const granularities: readonly Granularity[] = ['file', 'package', 'directory'];

/** How a traced run ended. `trace/trace.ts` says what the members mean. */
export interface TracedEnd {
  readonly status: number;
  readonly signal: string | null;
  readonly stopped: 'for' | 'signal' | null;
  readonly seconds: number | null;
}

/** The uses that one or several traces saw, as plain data that survives JSON. `trace/trace.ts` has the bits. */
export interface TraceData {
  /** For messages and reports: "app.strace". */
  readonly name: string;
  readonly platform: string | null;
  readonly image: Digest | null;
  readonly knowsExecs: boolean;
  /** Paths from the root with the bits of their uses. */
  readonly paths: readonly (readonly [path: string, uses: number])[];
  /** The changes of names that the run made. */
  readonly changes: readonly (
    | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
    | { readonly kind: 'moved'; readonly path: string; readonly from: string }
  )[];
  /** How the recorded runs ended. */
  readonly ends: readonly TracedEnd[];
  /** What the traces cannot show, each as the rest of a sentence: "does not show …". */
  readonly gaps: readonly string[];
  /** Whether files may have been opened that the traces cannot show. */
  readonly isBlind: boolean;
}

/** Removes what no trace saw and nothing that it saw needs. */
export interface TracePruning {
  readonly trace: TraceData;
  readonly granularity: Granularity;
  /** Further commands that must go on working: words, the first a program. */
  readonly keepCommands: readonly (readonly string[])[];
}
