/** The profiles that options of a recording ask for, made of what the original did. */
import { OcislimError } from '../../errors.ts';
import { filterForTrial } from '../../jobs/record/sandbox/trial-filter.ts';
import { seccompProfile, type SeccompProfile } from '../../trace/seccomp.ts';
import type { Trace } from '../../trace/trace.ts';
import type { SlimSettings } from '../../settings/tables/commands.ts';

export class Profiles {
  readonly seccomp: SeccompProfile | null;
  /** The filter under which a pruned image is tried; null without --seccomp. */
  readonly filter: Uint8Array | null;
  /** What the filter does not do as the profile says, as rests of sentences. */
  readonly losses: readonly string[];
  readonly #allowed: ReadonlySet<string>;

  /** Makes the profiles that settings ask for. @throws TRACE_INVALID */
  constructor(trace: Trace, { seccomp }: Pick<SlimSettings, 'seccomp'>) {
    this.seccomp = seccomp === null ? null : seccompProfile(trace);
    const made = this.seccomp === null ? null : filterOf(this.seccomp);
    this.filter = made?.program ?? null;
    this.losses = made?.losses ?? [];
    this.#allowed = new Set(
      (this.seccomp?.syscalls ?? [])
        .filter(({ action }) => action === 'SCMP_ACT_ALLOW')
        .flatMap(({ names }) => names),
    );
  }

  /** How many system calls the seccomp profile allows; null without --seccomp. */
  get calls(): number | null {
    return this.seccomp === null ? null : this.#allowed.size;
  }

  /** Returns the system calls of a run that the seccomp profile does not allow, sorted. */
  refusedCalls(trace: Trace): readonly string[] {
    if (this.seccomp === null) return [];
    return [...trace.syscalls.keys()].filter((name) => !this.#allowed.has(name)).sort();
  }
}

/** Makes the filter of a profile; none, with the reason, on a machine whose system calls are not known. */
function filterOf(profile: SeccompProfile): {
  readonly program: Uint8Array | null;
  readonly losses: readonly string[];
} {
  try {
    return filterForTrial(profile);
  } catch (error) {
    if (error instanceof OcislimError && error.code === 'UNSUPPORTED')
      return { program: null, losses: [error.message] };
    throw error;
  }
}
