/** The profiles that options of a recording ask for, made of what the original did. */
import { seccompProfile, type SeccompProfile } from '../../trace/seccomp.ts';
import type { Trace } from '../../trace/trace.ts';
import type { RecordingFacts } from '../../jobs/record/trial/trial.ts';
import type { ProofOptions } from './proof.ts';

export class Profiles {
  readonly seccomp: SeccompProfile | null;
  /** The filter under which a pruned image is tried; null without --seccomp, and where no sandbox can apply it. */
  readonly filter: Uint8Array | null;

  private constructor(seccomp: SeccompProfile | null, filter: Uint8Array | null) {
    this.seccomp = seccomp;
    this.filter = filter;
  }

  static of(trace: Trace, { settings }: ProofOptions): Profiles {
    const seccomp = settings.seccomp === null ? null : seccompProfile(trace);
    return new Profiles(seccomp, null);
  }

  get seccompFacts(): RecordingFacts['seccomp'] {
    if (this.seccomp === null) return null;
    return { calls: allowedCalls(this.seccomp).size, isTried: this.filter !== null };
  }

  /** Returns the system calls of a run that the seccomp profile does not allow, sorted. */
  refusedCalls(trace: Trace): readonly string[] {
    if (this.seccomp === null) return [];
    const allowed = allowedCalls(this.seccomp);
    return [...trace.syscalls.keys()].filter((name) => !allowed.has(name)).sort();
  }
}

function allowedCalls({ syscalls }: SeccompProfile): ReadonlySet<string> {
  return new Set(syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW').flatMap(({ names }) => names));
}
