/** What all images of a plan hold together: images, layers, bytes, each layer once. `fleet plan` fills one and prints it. */
import type { ImageRow } from './image-row.ts';

export interface FleetTotals {
  readonly images: number;
  readonly tags: number;
  readonly repositories: number;
  /** Layers as often as images name them. */
  readonly references: number;
  /** Different layers. */
  readonly layers: number;
  /** Bytes of all references, as if nothing were shared. */
  readonly namedBytes: number;
  /** Bytes of the different layers. */
  readonly bytes: number;
}

/** Counts rows. It holds a few bytes for each different layer, and no row. */
export class FleetTally {
  readonly #layers = new Set<string>();
  readonly #repositories = new Set<string>();
  #images = 0;
  #tags = 0;
  #references = 0;
  #namedBytes = 0;
  #bytes = 0;

  add({ repository, tags, layers }: ImageRow): void {
    this.#images += 1;
    this.#tags += tags.length;
    this.#repositories.add(repository);
    for (const { digest, size } of layers) {
      this.#references += 1;
      this.#namedBytes += size;
      const key = shortKey(digest);
      if (this.#layers.has(key)) continue;
      this.#layers.add(key);
      this.#bytes += size;
    }
  }

  get totals(): FleetTotals {
    return {
      images: this.#images,
      tags: this.#tags,
      repositories: this.#repositories.size,
      references: this.#references,
      layers: this.#layers.size,
      namedBytes: this.#namedBytes,
      bytes: this.#bytes,
    };
  }
}

/** Returns 16 bytes of a digest, one character each: among 10^9 layers two that share them are not to be expected. */
function shortKey(digest: string): string {
  return Buffer.from(digest.slice(digest.indexOf(':') + 1, digest.indexOf(':') + 33), 'hex').toString(
    'latin1',
  );
}
