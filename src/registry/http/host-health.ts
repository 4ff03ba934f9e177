import type { Clock } from '../../retry/clock.ts';
import { longestDelay } from '../../retry/retrying.ts';
import { longestRetryAfter } from './transient.ts';

/** The shortest outage after which a server is given up, however few retries are asked for. Milliseconds. */
const shortestOutage = 600_000;

/** Waits of one request while others are told to wait longer. Then it is sent all the same. */
const mostWaits = 10;

/** The state of one server, shared by all requests of a run to it: how long it has failed, and until when it wants rest. */
export class HostHealth {
  readonly #clock: Clock;
  readonly #budget: number;
  #failingSince: number | null = null;
  #lastFailure = 0;
  #heldUntil = 0;

  constructor(retryTimes: number, clock: Clock) {
    this.#clock = clock;
    this.#budget = Math.max(shortestOutage, retryTimes * longestDelay);
  }

  /** Notes a request that succeeded: it ends an outage. */
  succeeded(): void {
    this.#failingSince = null;
  }

  /** Notes a request that failed: it begins an outage, or prolongs one. */
  failed(): void {
    const now = this.#clock.now();
    // Two failures far apart, without a request in between, are two outages.
    if (this.#failingSince === null || now - this.#lastFailure > this.#budget) this.#failingSince = now;
    this.#lastFailure = now;
  }

  /** Milliseconds that the outage has lasted, once it is too long to wait for its end; else null. */
  get spent(): number | null {
    if (this.#failingSince === null) return null;
    const outage = this.#clock.now() - this.#failingSince;
    return outage >= this.#budget ? outage : null;
  }

  /** Notes that the server asked for no requests for so many milliseconds. */
  hold(milliseconds: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#clock.now() + milliseconds);
  }

  /** Waits until the server may be asked again, each caller a little longer or shorter than the others. */
  async ready(signal: AbortSignal): Promise<void> {
    for (let waits = 0; waits < mostWaits; waits += 1) {
      // A clock that was set back must not make callers wait for hours.
      const left = Math.min(this.#heldUntil - this.#clock.now(), longestRetryAfter);
      if (left <= 0) return;
      await this.#clock.sleep(left + Math.round(this.#clock.random() * Math.min(left, 1000)), signal);
    }
  }
}
