import type { RawManifest } from '../place/place.ts';
import { MiB } from '../units.ts';

/** The most that is held; what comes later is fetched whenever it is asked for. Bytes. */
const mostBytes = 64 * MiB;

/** The manifests that a run has fetched by their digests from one registry, which counts every fetch as a pull. */
export class HeldManifests {
  readonly #held = new Map<string, Promise<RawManifest>>();
  #bytes = 0;

  /** Returns what `fetch` has brought for this key before, or brings now. One call fetches for all that wait. */
  async once(key: string, fetch: () => Promise<RawManifest>): Promise<RawManifest> {
    const held = this.#held.get(key);
    if (held !== undefined) {
      const found = await held.catch(() => null);
      // If the other caller fails, each one that waited asks for itself.
      return found ?? fetch();
    }
    const fetching = fetch();
    this.#held.set(key, fetching);
    try {
      const fetched = await fetching;
      if (this.#bytes + fetched.bytes.length > mostBytes) this.#held.delete(key);
      else this.#bytes += fetched.bytes.length;
      return fetched;
    } catch (error) {
      this.#held.delete(key);
      throw error;
    }
  }
}
