import type { ByteStream } from '../stream/byte-stream.ts';

/**
 * Unpacked tars of small layers in memory between the first and the second reading, within a budget: they need not be
 * fetched, unpacked and checked again. Nothing depends on it.
 */
export class KeptTars {
  readonly #budget: number;
  #used = 0;
  readonly #tars = new Map<string, readonly Uint8Array[]>();

  /** `budget` in bytes, of all tars together; 0 for none at all. */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Passes a tar through, and keeps it if it fits and ends well. `atLeast`: how long it is known to be. */
  async *keep(stream: ByteStream, key: string, atLeast: number): ByteStream {
    if (this.#tars.has(key) || this.#used + atLeast > this.#budget) {
      yield* stream;
      return;
    }
    let chunks: Uint8Array[] | null = [];
    let held = 0;
    let whole = false;
    const drop = () => {
      this.#used -= held;
      held = 0;
      chunks = null;
    };
    try {
      for await (const chunk of stream) {
        if (chunks !== null && this.#used + chunk.length > this.#budget) drop();
        if (chunks !== null) {
          // The chunk is lent, or the consumer's from here on.
          chunks.push(new Uint8Array(chunk));
          held += chunk.length;
          this.#used += chunk.length;
        }
        yield chunk;
      }
      whole = true;
    } finally {
      if (!whole || this.#tars.has(key)) drop();
      else if (chunks !== null) this.#tars.set(key, chunks);
    }
  }

  /** The tar that was kept, or null. */
  read(key: string): ByteStream | null {
    const chunks = this.#tars.get(key);
    return chunks === undefined ? null : copiesOf(chunks);
  }
}

async function* copiesOf(chunks: readonly Uint8Array[]): ByteStream {
  for (const chunk of chunks) yield new Uint8Array(chunk);
}
