import type { ContentProbe } from '../../rootfs/facts/facts.ts';
import type { IdentityKind } from './identities.ts';

/** What a scan is to learn about files in addition to their headers. */
export interface Gathering {
  /** Selects the contents that the closure reads; null for none. */
  readonly probe: ContentProbe | null;
  /** Whether to digest every file, for the list of what was removed. */
  readonly digests: boolean;
  /** Whether to record which files are the same in all but their path. */
  readonly twins: boolean;
  /** Whether to take the fingerprint of every file with data. Default: no. */
  readonly prints?: boolean;
  /** How to name every entry by what it is, without the noise of a rebuild. Default: not at all. */
  readonly identities?: IdentityKind | null;
  /** Whether to look into programs and sources, where there is a probe. Default: yes. */
  readonly programs?: boolean;
  /** Whether to look into sources and for names in programs, beside headers and first lines. Default: yes. */
  readonly sources?: boolean;
  /** Whether to look into archives of Java and programs of Go, with a probe, for what they are made of. Default: no. */
  readonly parts?: boolean;
}

/** Fills in what a gathering leaves out. */
export function completeGathering(gathering: Gathering): Required<Gathering> {
  return { prints: false, identities: null, programs: true, sources: true, parts: false, ...gathering };
}
