/**
 * Repairs of a push: a registry may miss a blob when its manifest is put. The target notes how each blob came there, and puts its
 * manifests through this.
 */
import type { Digest } from '../oci/digest.ts';
import { BlobsUnknown } from '../place/blobs-unknown.ts';
import { noDelay } from '../retry/retrying.ts';
import { nameOf } from './failure.ts';
import type { Repository } from './repository.ts';
import type { Presence } from './upload/presence.ts';

/** Rounds of one manifest: some registries name one missing blob at a time. */
const mostRounds = 1000;

/** Brings a blob or a manifest to the repository again. */
type Bring = (signal: AbortSignal) => Promise<unknown>;

/** Sends blobs again that a registry first had, or said it had, and then misses: each once in a run. */
export class Repairs {
  readonly #repository: Repository;
  readonly #presence: Presence;
  readonly #ways = new Map<Digest, Bring>();
  readonly #repaired = new Set<Digest>();

  constructor(repository: Repository, presence: Presence) {
    this.#repository = repository;
    this.#presence = presence;
  }

  /** Notes how to bring a digest again. What was staged, only its maker can bring again. */
  note(digest: Digest, bring: Bring): void {
    this.#ways.set(digest, bring);
  }

  /** Puts a manifest by `put`, with what the registry misses of it. @throws BlobsUnknown with what only its maker can make again */
  run<T>(signal: AbortSignal, put: () => Promise<T>): Promise<T> {
    const policy = {
      // Each round sends a digest that no round before it has sent.
      retries: mostRounds,
      delay: noDelay,
      isTransient: (error: unknown) => error instanceof Repaired,
      exhausted: (error: unknown) => (error instanceof Repaired ? error.cause : error),
    };
    return this.#repository.client.retries(policy).run(signal, async () => {
      try {
        return await put();
      } catch (error) {
        if (!(error instanceof BlobsUnknown)) throw error;
        await this.#repair(error, signal);
        throw new Repaired('it can be put again', { cause: error });
      }
    });
  }

  async #repair({ message, digests }: BlobsUnknown, signal: AbortSignal): Promise<void> {
    const missing = digests.filter((digest) => !this.#repaired.has(digest));
    if (missing.length === 0) throw new BlobsUnknown(message, digests);
    const { client, party } = this.#repository;
    for (const digest of missing) {
      this.#repaired.add(digest);
      this.#presence.doubt(digest);
      client.settings.listener({
        type: 'detail',
        message: `${nameOf(party)}: the registry has lost ${digest}; sending it once more`,
      });
      await this.#ways.get(digest)?.(signal);
    }
    const made = missing.filter((digest) => !this.#ways.has(digest));
    if (made.length > 0) throw new BlobsUnknown(message, made);
  }
}

/** What was missing has been sent: the manifest can be put again. */
class Repaired extends Error {}
