import type { Clock } from '../../retry/clock.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';

/**
 * Bounds how long a server may put off the head of its final answer by interim ones (1xx), which the HTTP library takes for progress.
 * Only bytes of the request that the server takes in are progress.
 */
export class HeadDeadline {
  readonly #limit: number;
  readonly #clock: Clock;
  #progress: number | null = null;

  /** `limit` in milliseconds. */
  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Notes an interim answer. @throws Error when the server has sent nothing else for too long */
  readonly onInterim = (): void => {
    this.#progress ??= this.#clock.now();
    if (this.#clock.now() - this.#progress > this.#limit)
      throw new Error(`nothing but interim answers came in ${this.#limit} ms`);
  };

  /** Passes on the body of the request, whose chunks are progress. */
  async *noting(body: ByteStream | Iterable<Uint8Array>): ByteStream {
    for await (const chunk of body) {
      this.#progress &&= this.#clock.now();
      yield chunk;
    }
    this.#progress &&= this.#clock.now();
  }
}
