import type { Digest } from '../../oci/digest.ts';
import { hasBlob } from '../blobs.ts';
import type { Repository } from '../repository.ts';

/** What is known of the blobs of one repository in this run: which are there, on their way, or falsely said to be there. */
export class Presence {
  readonly #repository: Repository;
  readonly #present = new Set<Digest>();
  readonly #arriving = new Map<Digest, Promise<void>>();
  readonly #doubted = new Set<Digest>();

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /**
   * Brings a blob to the repository by `work`, unless this run has done so; waits while another caller does. Returns whether
   * `work` was run. Some registries fail when one digest is uploaded twice at a time.
   */
  async once(digest: Digest, work: () => Promise<void>): Promise<boolean> {
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
      await working;
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
    this.#doubted.add(digest);
  }
}
