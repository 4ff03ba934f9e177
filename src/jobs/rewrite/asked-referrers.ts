import { OcislimError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Referrer, Source } from '../../place/place.ts';

/**
 * What refers to manifests of a source, asked for while blobs are copied: a registry takes up to five requests for it. Each manifest
 * is asked for once. What is still under way at the end is cancelled.
 */
export class AskedReferrers implements AsyncDisposable {
  readonly #source: Source;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #asked = new Map<Digest, Promise<readonly Referrer[]>>();

  constructor(source: Source, signal: AbortSignal) {
    this.#source = source;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  /** Returns what refers to a manifest. A caller that only wants it to be asked need not await it. @throws what sources throw */
  of(digest: Digest): Promise<readonly Referrer[]> {
    let asked = this.#asked.get(digest);
    if (asked === undefined) {
      asked = this.#source.referrers(digest, this.#signal);
      // Its failure is thrown where it is awaited.
      asked.catch(() => {});
      this.#asked.set(digest, asked);
    }
    return asked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new OcislimError('INTERRUPTED', 'the run is over'));
    await Promise.allSettled(this.#asked.values());
  }
}
