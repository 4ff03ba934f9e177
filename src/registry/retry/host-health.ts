import type { Clock } from './clock.ts';
import { longestPause, longestRetryAfter } from './retry.ts';

/** However few tries are asked for, a server may be in trouble for so long. Milliseconds. */
const shortestSpell = 600_000;

/** What one server has been like of late, known to all requests of a run to it. */
export class HostHealth {
  readonly #clock: Clock;
  readonly #budget: number;
  #failingSince: number | null = null;
  #lastFailure = 0;
  #heldUntil = 0;

  constructor(retryTimes: number, clock: Clock) {
    this.#clock = clock;
    this.#budget = Math.max(shortestSpell, retryTimes * longestPause);
  }

  /** Something came of a request. */
  succeeded(): void {
    this.#failingSince = null;
  }

  failed(): void {
    const now = this.#clock.now();
    // Failures far apart, with nothing asked in between, are no spell of bad weather.
    if (this.#failingSince === null || now - this.#lastFailure > this.#budget) this.#failingSince = now;
    this.#lastFailure = now;
  }

  /** Milliseconds in which there was nothing but failures, once they are all that one should wait; else null. */
  get spent(): number | null {
    if (this.#failingSince === null) return null;
    const spell = this.#clock.now() - this.#failingSince;
    return spell >= this.#budget ? spell : null;
  }

  /** The server wants to be left alone for so many milliseconds. */
  hold(milliseconds: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#clock.now() + milliseconds);
  }

  /** Waits until the server may be asked again; not all who wait go on at the same moment. */
  async ready(signal: AbortSignal): Promise<void> {
    for (;;) {
      // A clock that was set back must not make us wait for hours.
      const left = Math.min(this.#heldUntil - this.#clock.now(), longestRetryAfter);
      if (left <= 0) return;
      await this.#clock.sleep(left + Math.round(this.#clock.random() * Math.min(left, 1000)), signal);
    }
  }
}
