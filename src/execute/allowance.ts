import { getHeapStatistics } from 'node:v8';
import type { Image } from '../image/image.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { exceeded, type Limits } from '../limits.ts';

/** What an entry takes besides its names, in the columns, tables and trees that are made of it. Measured, and rounded up. */
const entryBytes = 300;

/** The most that was unpacked of each layer of an image, by digest. */
interface UnpackedLayers {
  readonly bytes: Map<string, number>;
  total: number;
}

/**
 * What the layers of one source may come to in a run. Bytes are counted as they come out of a decoder, wherever that runs, and
 * again from nothing when a layer is read again; headers as they are held.
 */
export class Allowance {
  readonly limits: Limits;
  readonly #images = new WeakMap<Image, UnpackedLayers>();
  readonly #indexBytes: number;
  #entries = 0;
  #held = 0;

  constructor(limits: Limits) {
    this.limits = limits;
    // Measured against what V8 may take, since that ends in a crash which nobody can catch.
    this.#indexBytes = limits['index-bytes'] || Math.floor((getHeapStatistics().heap_size_limit * 2) / 3);
  }

  /** Call the answer with each count of unpacked bytes of a layer. @throws LIMIT from it */
  unpacking(image: Image, { digest, size: packed }: Descriptor): (count: number) => void {
    const { limits } = this;
    const layers = this.#images.get(image) ?? { bytes: new Map<string, number>(), total: 0 };
    this.#images.set(image, layers);
    let bytes = 0;
    return (count) => {
      bytes += count;
      const what = 'it unpacks to too much';
      if (bytes > limits['layer-bytes'])
        throw exceeded('layer-bytes', limits, what, `its ${packed} bytes are ${bytes} unpacked, if not more`);
      if (bytes > limits['ratio-floor'] && bytes > limits.ratio * packed)
        throw exceeded('ratio', limits, what, `its ${packed} bytes are ${bytes} unpacked, if not more`);
      const most = layers.bytes.get(digest) ?? 0;
      if (bytes <= most) return;
      layers.bytes.set(digest, bytes);
      layers.total += bytes - most;
      if (layers.total > limits['image-bytes'])
        throw exceeded(
          'image-bytes',
          limits,
          'the image unpacks to too much',
          `its layers are ${layers.total} bytes unpacked so far`,
        );
    };
  }

  /** For the headers of one layer. */
  headers(): HeaderAllowance {
    return new HeaderAllowance(this.limits, (entries, bytes) => this.#hold(entries, bytes));
  }

  #hold(entries: number, bytes: number): void {
    const { limits } = this;
    this.#entries += entries;
    this.#held += bytes;
    if (this.#entries > limits['image-entries'])
      throw exceeded(
        'image-entries',
        limits,
        'the layers have too many entries',
        `${this.#entries} have been read so far`,
      );
    if (this.#held > this.#indexBytes)
      throw exceeded(
        'index-bytes',
        { ...limits, 'index-bytes': this.#indexBytes },
        'the headers of the layers need too much memory',
        `${this.#entries} entries take some ${this.#held} bytes`,
      );
  }
}

/** What the headers of one layer may come to. */
export class HeaderAllowance {
  readonly #limits: Limits;
  readonly #hold: (entries: number, bytes: number) => void;
  #entries = 0;
  #bytes = 0;

  constructor(limits: Limits, hold: (entries: number, bytes: number) => void) {
    this.#limits = limits;
    this.#hold = hold;
  }

  /** An entry has been read, with the path that it is about, what it links to, and bytes of its head that are kept. @throws LIMIT */
  take(path: string, link: string, head: number): void {
    const limits = this.#limits;
    if (++this.#entries > limits['layer-entries'])
      throw exceeded(
        'layer-entries',
        limits,
        'it has too many entries',
        `${this.#entries} have been read so far`,
      );
    const longest = Math.max(path.length, link.length);
    if (longest > limits['path-bytes'])
      throw exceeded(
        'path-bytes',
        limits,
        `the ${longest === path.length ? 'name' : 'link target'} of entry ${this.#entries} is too long`,
        `it has ${longest} bytes`,
      );
    const bytes = entryBytes + path.length + link.length + head;
    this.#bytes += bytes;
    this.#hold(1, bytes);
  }

  /** They are held no longer. */
  release(): void {
    this.#hold(-this.#entries, -this.#bytes);
    this.#entries = 0;
    this.#bytes = 0;
  }
}
