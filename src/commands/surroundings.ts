/** What a job gets from the process that runs it, beside its settings: nothing here can be sent elsewhere. */
import { type Listener, silent } from '../events.ts';
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
  /** Is called before another program writes to the terminal. */
  readonly pauseOutput: () => void;
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
    pauseOutput: () => {},
    pipe: null,
    ...given,
  };
}
