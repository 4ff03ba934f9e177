/** Bounds how much work that takes memory or a processor runs at once. Work that finds no free slot waits, in order. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** Allows `count` pieces of work at once. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Runs the work as soon as a slot is free, and returns its result. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
