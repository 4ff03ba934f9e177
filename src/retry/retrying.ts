/**
 * Retries as data: what fails is attempted again by a policy that says which failures may pass, how often and how soon.
 * Every loop of attempts in this program is this one. It knows nothing of HTTP, of files, or of what an attempt does.
 */
import { OcislimError } from '../errors.ts';
import { type Listener, silent } from '../events.ts';
import { type Clock, systemClock } from './clock.ts';

/** When an operation that failed is attempted again. */
export interface RetryPolicy {
  /** Attempts after the first one; Infinity for no bound. */
  readonly retries: number;
  /** Whether a failure may pass by itself. Any other failure is thrown at once, as it is. */
  readonly isTransient: (error: unknown) => boolean;
  /** Whether two attempts have the effect of one. If not, no failure is retried. Default: true. */
  readonly idempotent?: boolean;
  /** Milliseconds to wait after the failure number `failures`, counted from 1. Default: `backoff`. */
  readonly delay?: (failures: number, error: unknown, clock: Clock) => number;
  /** Why no retry follows although some are left; null if one does. */
  readonly stopsEarly?: (error: unknown) => string | null;
  /** The detail that the listener gets before a retry; null for none. */
  readonly describe?: (error: unknown) => string | null;
  /** The error to throw when no retry is left. Default: `exhausted`. */
  readonly exhausted?: (error: unknown, tried: string) => unknown;
}

/** What waits between attempts, and what hears of them. */
export interface RetryContext {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  readonly listener?: Listener;
}

const firstDelay = 500;
/** The longest delay between two attempts, unless a server asks for more. Milliseconds. */
export const longestDelay = 30_000;

/** Returns the milliseconds to wait after a failure, counted from 1: exponential, with a quarter of jitter either way. */
export function backoff(failures: number, clock: Clock): number {
  const delay = Math.min(firstDelay * 2 ** (failures - 1), longestDelay);
  return Math.round(delay * (0.75 + clock.random() / 2));
}

/** Returns no delay, for attempts that need no rest. */
export const noDelay = (): number => 0;

/**
 * Runs `attempt` until it succeeds or `policy` ends the attempts; it is told the number of failures so far.
 * @throws the signal's reason as soon as the signal fires; a failure that the policy does not retry, as it is; else what
 *   `policy.exhausted` makes of the last failure
 */
export function retrying<T>(
  policy: RetryPolicy,
  context: RetryContext & { readonly signal: AbortSignal },
  attempt: (failures: number) => Promise<T>,
): Promise<T> {
  return new Retries(policy, context).run(context.signal, attempt);
}

/** Runs attempts with a count of failures that several operations share, such as the reads of one download. */
export class Retries {
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  readonly #listener: Listener;
  #failures = 0;

  constructor(policy: RetryPolicy, { clock = systemClock, listener = silent }: RetryContext = {}) {
    this.#policy = policy;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Forgets the failures so far, since there was progress. */
  reset(): void {
    this.#failures = 0;
  }

  /** Does the same as `retrying`, with the failures of earlier runs counted. */
  async run<T>(signal: AbortSignal, attempt: (failures: number) => Promise<T>): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await attempt(this.#failures);
      } catch (error) {
        signal.throwIfAborted();
        this.#failures += 1;
        const delay = this.#delayAfter(error);
        if (delay > 0) await this.#clock.sleep(delay, signal);
      }
    }
  }

  /** Returns the milliseconds to wait before the next attempt. @throws the error that ends the attempts */
  #delayAfter(error: unknown): number {
    const { isTransient, idempotent = true, stopsEarly, describe, delay } = this.#policy;
    if (!idempotent || !isTransient(error)) throw error;
    const isLast = this.#failures > this.#policy.retries;
    const early = stopsEarly?.(error) ?? null;
    if (isLast || early !== null) {
      const times = this.#failures === 1 ? '' : `tried ${this.#failures} times`;
      throw (this.#policy.exhausted ?? exhausted)(error, early ?? times);
    }
    const message = describe?.(error) ?? null;
    if (message !== null) this.#listener({ type: 'detail', message });
    return delay === undefined
      ? backoff(this.#failures, this.#clock)
      : delay(this.#failures, error, this.#clock);
  }
}

/**
 * Returns the last error of several attempts, with what was tried at the end of its message. It is a plain OcislimError,
 * of the same code, so that a loop of attempts around this one does not retry it again.
 */
export function exhausted(error: unknown, tried: string): unknown {
  if (!(error instanceof OcislimError)) return error;
  return new OcislimError(error.code, tried === '' ? error.message : `${error.message}; ${tried}`, {
    cause: error,
    advice: error.advice ?? 'The failures may pass: try again later.',
  });
}
