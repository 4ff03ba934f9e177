/**
 * The blobs of one repository in this run: which are there, on their way, or falsely said to be there. The uploader keeps one; the
 * target has it looked through before it puts a manifest.
 */
import type { Digest } from '../../oci/digest.ts';
import { BlobsUnknown } from '../../place/blobs-unknown.ts';
import { retrying } from '../../retry/retrying.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { faultOfBlob, hasBlob } from '../blobs.ts';
import { nameOf } from '../failure.ts';
import type { Repository } from '../repository.ts';

/** How a blob came to the repository: the registry said that it has it, or it was sent and the registry took it. */
export type Arrival = 'seen' | 'sent';

/**
 * Looks at what was sent, the last time thoroughly. Returns what is wrong with it, in words; null where the registry has it as it
 * should be.
 */
type Look = (thorough: boolean, signal: AbortSignal) => Promise<string | null>;

/** Further looks at what was sent and is not there: replicas may lag behind for a moment. */
const looks = 3;

/** What is known of the blobs of one repository in this run: which are there, on their way, or falsely said to be there. */
export class Presence {
  readonly #repository: Repository;
  readonly #present = new Set<Digest>();
  readonly #arriving = new Map<Digest, Promise<Arrival>>();
  readonly #doubted = new Set<Digest>();
  /** What was sent and not looked at since. */
  readonly #unseen = new Map<Digest, Look>();

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /**
   * Brings a blob to the repository by `work`, unless this run has done so; waits while another caller does. Returns whether
   * `work` was run. Some registries fail when one digest is uploaded twice at a time.
   */
  async once(digest: Digest, size: number, work: () => Promise<Arrival>): Promise<boolean> {
    for (;;) {
      if (this.#present.has(digest)) return false;
      const arriving = this.#arriving.get(digest);
      if (arriving === undefined) break;
      // If the other caller fails it is this one's turn.
      await arriving.catch(() => {});
    }
    const working = work();
    this.#arriving.set(digest, working);
    try {
      if ((await working) === 'sent')
        this.noteSent(digest, (...how) => faultOfBlob(this.#repository, { digest, size }, ...how));
      this.#present.add(digest);
      this.#doubted.delete(digest);
      return true;
    } finally {
      this.#arriving.delete(digest);
    }
  }

  /** Returns whether the repository has a blob; false for one in doubt. @throws SIZE_MISMATCH */
  async has(digest: Digest, size: number, signal: AbortSignal): Promise<boolean> {
    return !this.#doubted.has(digest) && (await hasBlob(this.#repository, digest, size, signal));
  }

  /** Returns whether the registry is not believed about a blob, so that it must be sent. */
  isDoubted(digest: Digest): boolean {
    return this.#doubted.has(digest);
  }

  /** Counts a blob as missing until it has been sent, whatever the registry says. */
  doubt(digest: Digest): void {
    this.#present.delete(digest);
    this.#unseen.delete(digest);
    this.#doubted.add(digest);
  }

  /** Notes that something was sent: `confirm` is going to look at it. */
  noteSent(digest: Digest, look: Look): void {
    this.#unseen.set(digest, look);
  }

  /**
   * Looks at all that was sent but `except`, since some registries say yes to everything.
   * @throws BlobsUnknown for what the registry lacks
   */
  async confirm(except: Digest, signal: AbortSignal): Promise<void> {
    const { client } = this.#repository;
    const policy = {
      retries: looks,
      isTransient: (error: unknown) => error instanceof BlobsUnknown,
      exhausted: (error: unknown) => error,
    };
    await retrying(policy, { clock: client.settings.clock, signal }, (failures) =>
      this.#look(except, failures === looks, signal),
    );
  }

  async #look(except: Digest, thorough: boolean, signal: AbortSignal): Promise<void> {
    const { client, party } = this.#repository;
    const lacking: Digest[] = [];
    let first = '';
    const unseen = [...this.#unseen].filter(([digest]) => digest !== except);
    await mapParallel(unseen, client.settings.connections, signal, async ([digest, look], _, inner) => {
      const fault = await look(thorough, inner);
      if (fault === null) {
        this.#unseen.delete(digest);
        return;
      }
      lacking.push(digest);
      first ||= fault;
    });
    if (lacking.length > 0)
      throw new BlobsUnknown(`${nameOf(party)}: the registry took what was sent, but ${first}`, lacking);
  }
}
