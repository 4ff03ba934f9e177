import { KiB } from '../../units.ts';

/** A server that sends less than this in a whole timeout counts as silent. Bytes. */
const trickle = 16 * KiB;

/** Bounds the time that reads of one body wait for the server: the consumer's own time does not count. */
export class Patience {
  readonly #limit: number;
  readonly #now: () => number;
  #waited = 0;
  #received = 0;

  /** `limit` in milliseconds. */
  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Reads once. @throws what `read` throws, and an Error when less than the trickle came within the limit */
  async wait(read: () => Promise<IteratorResult<Uint8Array>>): Promise<IteratorResult<Uint8Array>> {
    const before = this.#now();
    const result = await read();
    this.#waited += this.#now() - before;
    if (result.done !== true) this.#received += result.value.length;
    if (this.#received >= trickle) {
      this.#received = 0;
      this.#waited = 0;
    } else if (this.#waited > this.#limit && result.done !== true) {
      throw new Error(`hardly any bytes came in ${this.#limit} ms`);
    }
    return result;
  }
}
