/**
 * Makes the filter of system calls under which the program of an image runs on this machine. `--run-seccomp` and the try of a profile by `slim
 * --record` take it.
 */
import { release } from 'node:os';
import { OcislimError } from '../../../errors.ts';
import { compileSeccomp, profileForTrial } from '../../../trace/seccomp-filter.ts';
import type { GivenProfile } from '../../../trace/seccomp-profile.ts';
import { dockerCapabilities } from '../privileged.ts';
import type { ImageSandbox } from './image-sandbox.ts';

/** A filter for a sandbox. */
export interface TrialFilter {
  /** `ImageRun.seccomp`. */
  readonly program: Uint8Array;
  /** What it does not do as the profile says, as rests of sentences. */
  readonly losses: readonly string[];
}

/** The architectures of Node for which there are filters, as images name them. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', riscv64: 'riscv64' };

/**
 * Returns the filter of a profile for the kernel of this machine, and for a container with the capabilities of Docker. It also allows what the
 * helpers in the sandbox call (`profileForTrial`).
 *
 * @throws UNSUPPORTED on an architecture whose numbers of system calls are not known
 */
export function filterForTrial(profile: GivenProfile): TrialFilter {
  const filter = compileSeccomp(profileForTrial(profile), {
    architecture: architectures[process.arch] ?? '',
    kernel: release(),
    capabilities: dockerCapabilities,
  });
  if (filter === null)
    throw new OcislimError('UNSUPPORTED', `no seccomp profile can be tried on ${process.arch}`, {
      advice: 'Try it on x86-64, 64-bit ARM or 64-bit RISC-V.',
    });
  const { program, unknown, conditional, narrow } = filter;
  return {
    program,
    losses: [
      ...lossOf(
        unknown,
        (names) => `the seccomp profile names system calls that are not known here: ${names}`,
      ),
      ...lossOf(
        conditional,
        (names) => `the arguments that the seccomp profile allows are not looked at: ${names}`,
      ),
      ...lossOf(narrow, (names) => `programs of other architectures are not allowed here: ${names}`),
    ],
  };
}

/** Closes a sandbox whose program would run without the filter that was asked for. @throws UNSUPPORTED */
export async function requireFiltering(sandbox: ImageSandbox): Promise<void> {
  const { filtering } = sandbox;
  if (filtering.isApplied) return;
  await sandbox[Symbol.asyncDispose]();
  throw new OcislimError(
    'UNSUPPORTED',
    `--run-seccomp has no effect here: ${filtering.why ?? 'there is no filter'}`,
    {
      advice: 'Install bubblewrap, and leave out --sandbox.',
    },
  );
}

function lossOf(names: readonly string[], say: (names: string) => string): readonly string[] {
  return names.length === 0 ? [] : [say(names.join(', '))];
}
