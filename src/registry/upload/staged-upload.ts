/*
 * A blob on its way into a registry before its digest is known. `RegistryTarget.stage` hands it out; the layer writer
 * commits it.
 */
import type { Digest } from '../../oci/digest.ts';
import type { Produce, StagedBlob } from '../../place/place.ts';
import { nameOf } from '../failure.ts';
import type { Repository } from '../repository.ts';
import { pauseBefore } from '../retry/retry.ts';
import { SessionLost } from './session-lost.ts';
import type { Taken, Uploader } from './uploader.ts';

/** A staged upload. When its session is lost, it starts over with the bytes that `produce` makes again. */
export class StagedUpload implements StagedBlob {
  readonly #repository: Repository;
  readonly #uploader: Uploader;
  readonly #produce: Produce;
  #taken: Taken | null = null;
  #failures = 0;

  private constructor(repository: Repository, uploader: Uploader, produce: Produce) {
    this.#repository = repository;
    this.#uploader = uploader;
    this.#produce = produce;
  }

  /** Takes in the bytes, all of them. @throws SessionLost after `retryTimes` retries, what the stream throws, … */
  static async start(
    repository: Repository,
    uploader: Uploader,
    produce: Produce,
    signal: AbortSignal,
  ): Promise<StagedUpload> {
    const staged = new StagedUpload(repository, uploader, produce);
    await staged.#retrying(() => staged.#take(signal), signal);
    return staged;
  }

  async commit(digest: Digest, size: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#uploader.once(digest, async () => {
        if (await this.#uploader.has(digest, size, signal)) return;
        await this.#retrying(async () => {
          const taken = this.#taken ?? (await this.#take(signal));
          await taken.upload(digest, size, signal);
        }, signal);
      });
    } finally {
      // Has no effect on a session that was committed.
      await this.abort();
    }
  }

  async abort(): Promise<void> {
    await this.#taken?.abort();
  }

  async #take(signal: AbortSignal): Promise<Taken> {
    const made = this.#produce();
    return (this.#taken = await this.#uploader.take('seal' in made ? made.stream : made, signal));
  }

  /** Starts over after a lost session. The retries before and in `commit` count together. */
  async #retrying(attempt: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
    const { clock, options } = this.#repository.client;
    for (;;) {
      try {
        await attempt();
        return;
      } catch (error) {
        await this.#taken?.abort();
        this.#taken = null;
        if (!(error instanceof SessionLost) || this.#failures >= options.retryTimes) throw error;
        options.listener({
          type: 'detail',
          message: `${nameOf(this.#repository.party)}: the registry lost an upload; starting it again`,
        });
        await clock.sleep(pauseBefore(this.#failures, clock), signal);
        this.#failures += 1;
      }
    }
  }
}
