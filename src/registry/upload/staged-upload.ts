/**
 * A blob on its way into a registry before its digest is known. `RegistryTarget.stage` hands it out; the layer writer
 * commits it.
 */
import type { Digest } from '../../oci/digest.ts';
import type { Produce, StagedBlob } from '../../place/place.ts';
import type { Retries } from '../../retry/retrying.ts';
import { type Taken, takeBlob } from './take.ts';
import type { Uploader } from './uploader.ts';

/** A staged upload. When its session is lost, it starts over with the bytes that `produce` makes again. */
export class StagedUpload implements StagedBlob {
  readonly #uploader: Uploader;
  /** Lost sessions before and in `commit` count together. */
  readonly #retries: Retries;
  readonly #produce: Produce;
  #taken: Taken | null = null;

  private constructor(uploader: Uploader, produce: Produce) {
    this.#uploader = uploader;
    this.#retries = uploader.retries();
    this.#produce = produce;
  }

  /** Takes in all bytes. @throws the last lost session when no retry is left, what the stream throws, … */
  static async start(uploader: Uploader, produce: Produce, signal: AbortSignal): Promise<StagedUpload> {
    const staged = new StagedUpload(uploader, produce);
    await staged.#retries.run(signal, () => staged.#take(signal));
    return staged;
  }

  async commit(digest: Digest, size: number, signal: AbortSignal): Promise<void> {
    const { presence } = this.#uploader;
    try {
      await presence.once(digest, size, async () => {
        if (await presence.has(digest, size, signal)) return 'seen';
        await this.#retries.run(signal, async () => {
          const taken = this.#taken ?? (await this.#take(signal));
          // Its bytes are gone with a failure.
          this.#taken = null;
          try {
            await taken.upload(digest, size, signal);
          } finally {
            await taken.abort();
          }
        });
        return 'sent';
      });
    } finally {
      await this.abort();
    }
  }

  async abort(): Promise<void> {
    await this.#taken?.abort();
    this.#taken = null;
  }

  async #take(signal: AbortSignal): Promise<Taken> {
    const made = this.#produce();
    const stream = 'seal' in made ? made.stream : made;
    return (this.#taken = await takeBlob(this.#uploader, stream, signal));
  }
}
