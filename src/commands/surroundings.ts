/** What a job gets from the process that runs it, beside its settings: nothing here can be sent elsewhere. */
import { setTimeout as delay } from 'node:timers/promises';
import { OcislimError } from '../errors.ts';
import { type Listener, type ProgressEvent, silent } from '../events.ts';
import type { Continue } from '../probe/probe.ts';
import type { Environment } from '../settings/command-line.ts';
import type { Pipe } from '../store/archive/archive-output.ts';
import { Secrets } from '../settings/secrets.ts';

/** The part of a job that belongs to its process. */
export interface Surroundings {
  /** Cancels the job. Nothing is published after that. */
  readonly signal: AbortSignal;
  /** Receives progress and warnings. */
  readonly listener: Listener;
  readonly secrets: Secrets;
  /** Variables that name proxies, credential files and certificates. */
  readonly env: Environment;
  /** What the caller warns of before the job begins. It stands in the report, and --strict makes it an error. */
  readonly warnings: readonly Extract<ProgressEvent, { readonly type: 'warning' }>[];
  /** Is called before another program writes to the terminal. */
  readonly pauseOutput: () => void;
  /** Resolves when a person says that a program has run for long enough (--continue-after). */
  readonly wait: (after: Continue, signal: AbortSignal) => Promise<void>;
  /** Is told a line for a person who uses the program meanwhile: an address. */
  readonly tell: (line: string) => void;
  /** Gets what a recorded program prints; null for nothing. */
  readonly programOutput: { write(chunk: Uint8Array): unknown } | null;
  /** Writes a stream to standard output, for archives that go there; null where nothing can. */
  readonly pipe: Pipe | null;
}

/** Fills in what the caller of the library leaves out: this process's environment, no secrets, no output. */
export function surroundingsOf(given: Partial<Surroundings> = {}): Surroundings {
  return {
    signal: new AbortController().signal,
    listener: silent,
    secrets: new Secrets(),
    env: process.env,
    warnings: [],
    pauseOutput: () => {},
    wait: waitSeconds,
    tell: () => {},
    programOutput: null,
    pipe: null,
    ...given,
  };
}

/** Waits for a time. @throws USAGE for a key or signal, of which a library knows nothing */
async function waitSeconds(after: Continue, signal: AbortSignal): Promise<void> {
  if (after.kind === 'probe' || after.kind === 'exec') return;
  if (after.kind !== 'seconds')
    throw new OcislimError('USAGE', `--continue-after ${after.kind} needs a terminal`);
  await delay(after.seconds * 1000, undefined, { signal });
}
