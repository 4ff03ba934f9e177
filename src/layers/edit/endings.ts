/**
 * Reads sources up to what is needed of each, and then to their ends, which verifies them: the last entries of a layer are often files that
 * later layers replace. `editTar` and `dealTars` open their sources by it.
 */
import type { ByteStream } from '../../stream/byte-stream.ts';
import { TarReader } from '../../tar/reader.ts';

/** The sources of a tar, one after the other. Disposing of it closes what is open. */
export class Endings implements AsyncDisposable {
  #current: Promise<void> = Promise.resolve();
  #isStopped = false;

  /** Opens a source. */
  open(tar: ByteStream): OpenSource {
    return new OpenSource(tar, this);
  }

  /** Begins to read a source to its end, which also closes it, when the source before has ended. Throws the errors of that one. */
  async begin(reader: TarReader): Promise<void> {
    await this.#current;
    this.#current = this.#readOut(reader);
    // `end` throws it, and a consumer that leaves early never asks.
    this.#current.catch(() => {});
  }

  /** Waits until all sources have ended. Throws their errors. */
  async end(): Promise<void> {
    await this.#current;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#current.catch(() => {});
  }

  async #readOut(reader: TarReader): Promise<void> {
    try {
      while (!this.#isStopped && (reader.nextNow() ?? (await reader.next())) !== null);
    } finally {
      await reader.cancel();
    }
  }
}

/** A source that is being read. Disposing of it closes it, unless its rest is read beside the next source. */
class OpenSource implements AsyncDisposable {
  readonly reader: TarReader;
  readonly #endings: Endings;
  #isLeft = false;

  constructor(tar: ByteStream, endings: Endings) {
    this.reader = new TarReader(tar);
    this.#endings = endings;
  }

  /** Has the rest read beside the next source. Throws the errors of the source before. */
  async leave(): Promise<void> {
    await this.#endings.begin(this.reader);
    this.#isLeft = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isLeft) await this.reader.cancel();
  }
}
