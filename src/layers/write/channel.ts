import type { ByteStream } from '../../stream/byte-stream.ts';

/** Passes bytes from one piece of work to another, one chunk at a time. */
export class Channel {
  readonly #signal: AbortSignal;
  #chunk: Uint8Array | null = null;
  #isEnded = false;
  #isLeft = false;
  /** Wakes the side that waits: only one of them ever does. */
  #wake: () => void = () => {};

  /** `signal` ends the waiting of both sides. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Gives a chunk, and waits until the other side asks for the next. @throws the reason of the signal */
  async give(chunk: Uint8Array): Promise<void> {
    this.#chunk = chunk;
    this.#wake();
    while (this.#chunk !== null && !this.#isLeft) await this.#change();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** Yields the chunks. A chunk is valid until the next is asked for. @throws the reason of the signal */
  async *stream(): ByteStream {
    try {
      for (;;) {
        while (this.#chunk === null && !this.#isEnded) await this.#change();
        if (this.#chunk === null) return;
        yield this.#chunk;
        this.#chunk = null;
        this.#wake();
      }
    } finally {
      this.#isLeft = true;
      this.#wake();
    }
  }

  async #change(): Promise<void> {
    this.#signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#signal.throwIfAborted();
  }
}
