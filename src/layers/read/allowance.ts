/**
 * Counts what the layers of a run unpack to and what their headers hold against the limits. The layer reader asks it for every
 * layer.
 */
import { getHeapStatistics } from 'node:v8';
import { highestRatio } from '../../codec/encoding.ts';
import { OcislimError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { exceeded, type Limits } from '../../limits.ts';
import type { Compression } from '../../oci/media-type.ts';

/**
 * Bytes that an entry takes in columns, tables and trees in addition to its names, and bytes of a directory that only the
 * names of others imply. Both were measured and rounded up.
 */
const entryBytes = 260;
const directoryBytes = 150;

/** The largest count of unpacked bytes of each layer of an image, by digest: a layer that is read twice counts once. */
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
    // Measured against what V8 may take, since V8 ends in a crash that no code can catch.
    this.#indexBytes = limits['index-bytes'] || Math.floor((getHeapStatistics().heap_size_limit * 3) / 4);
  }

  /**
   * Starts the count of a layer. The caller passes each count of unpacked bytes to the result. `format` returns the format of the blob,
   * as far as it is known by then. @throws LIMIT from the result
   */
  unpacking(
    image: Image,
    { digest, size: packed }: Descriptor,
    format: () => Compression | null,
  ): (count: number) => void {
    const { limits } = this;
    const layers = this.#images.get(image) ?? { bytes: new Map<string, number>(), total: 0 };
    this.#images.set(image, layers);
    let bytes = 0;
    return (count) => {
      bytes += count;
      const what = 'it unpacks to too much';
      if (bytes > limits['layer-bytes'])
        throw exceeded('layer-bytes', limits, what, {
          says: `its ${packed} bytes are ${bytes} unpacked, if not more`,
          atLeast: bytes,
        });
      if (bytes > limits['ratio-floor'] && bytes > limits.ratio * packed)
        throw exceeded('ratio', limits, what, {
          says: `its ${packed} bytes are ${bytes} unpacked, if not more`,
          ...ratioNeeded(format()),
        });
      const most = layers.bytes.get(digest) ?? 0;
      if (bytes <= most) return;
      layers.bytes.set(digest, bytes);
      layers.total += bytes - most;
      if (layers.total > limits['image-bytes'])
        throw exceeded('image-bytes', limits, 'the image unpacks to too much', {
          says: `its layers are ${layers.total} bytes unpacked so far`,
          atLeast: layers.total,
        });
    };
  }

  /** Starts the count of the headers of one layer. */
  headers(): HeaderAllowance {
    return new HeaderAllowance(this.limits, (entries, bytes) => this.#hold(entries, bytes));
  }

  #hold(entries: number, bytes: number): void {
    const { limits } = this;
    this.#entries += entries;
    this.#held += bytes;
    if (this.#entries > limits['image-entries'])
      throw exceeded('image-entries', limits, 'the layers have too many entries', {
        says: `${this.#entries} have been read so far`,
        atLeast: this.#entries,
      });
    if (this.#held > this.#indexBytes) {
      const error = exceeded(
        'index-bytes',
        { 'index-bytes': this.#indexBytes },
        'the headers of the layers need too much memory',
        { says: `${this.#entries} entries take some ${this.#held} bytes`, atLeast: this.#held },
      );
      if (limits['index-bytes'] !== 0) throw error;
      throw new OcislimError(error.code, error.message, {
        advice:
          'The limit follows what Node.js may take; more of it: NODE_OPTIONS=--max-old-space-size=8192 (in MiB).',
      });
    }
  }
}

/** Returns the ratio that suffices for every blob of a format. */
function ratioNeeded(format: Compression | null): { readonly needed?: number } {
  return format === null ? {} : { needed: highestRatio(format) };
}

/** Counts the headers of one layer against the limits of the layer, and of all layers together. */
export class HeaderAllowance {
  readonly #limits: Limits;
  readonly #hold: (entries: number, bytes: number) => void;
  /** The limits as plain fields: they are read for each of millions of entries. */
  readonly #mostEntries: number;
  readonly #longest: number;
  #entries = 0;
  #bytes = 0;
  #last = '';
  /** The directory of the last path. */
  #directory = '';

  constructor(limits: Limits, hold: (entries: number, bytes: number) => void) {
    this.#limits = limits;
    this.#mostEntries = limits['layer-entries'];
    this.#longest = limits['path-bytes'];
    this.#hold = hold;
  }

  /**
   * Counts an entry: its cleaned path, its link target (empty for none), and the bytes of its head that an index holds.
   * @throws LIMIT
   */
  take(path: string, link: string, head: number): void {
    const limits = this.#limits;
    if (++this.#entries > this.#mostEntries)
      throw exceeded('layer-entries', limits, 'it has too many entries', {
        says: `${this.#entries} have been read so far`,
        atLeast: this.#entries,
      });
    const longest = Math.max(path.length, link.length);
    if (longest > this.#longest)
      throw exceeded(
        'path-bytes',
        limits,
        `the ${longest === path.length ? 'name' : 'link target'} of entry ${this.#entries} is too long`,
        { says: `it has ${longest} bytes`, atLeast: longest },
      );
    let bytes = entryBytes + path.length + link.length + head;
    // Most entries are in the directory of the entry before.
    const slash = path.lastIndexOf('/');
    if (slash !== this.#directory.length || !path.startsWith(this.#directory)) {
      bytes += impliedBytes(this.#last, path);
      this.#directory = path.slice(0, Math.max(slash, 0));
    }
    this.#last = path;
    this.#count(1, bytes);
  }

  /** Counts other memory that the entries take. @throws LIMIT */
  takeMore(bytes: number): void {
    this.#count(0, bytes);
  }

  #count(entries: number, bytes: number): void {
    this.#bytes += bytes;
    this.#hold(entries, bytes);
  }

  /** Gives back what has been counted, after the headers were released. */
  release(): void {
    this.#hold(-this.#entries, -this.#bytes);
    this.#entries = 0;
    this.#bytes = 0;
  }
}

/**
 * Estimates the bytes of the directories that a path implies and the last path does not. The result is an upper bound, since
 * an earlier path may have named them. A name of 4 KiB implies 2,000 directories, each with a name of its own.
 */
function impliedBytes(last: string, path: string): number {
  const shorter = Math.min(last.length, path.length);
  let common = 0;
  while (common < shorter && last.charCodeAt(common) === path.charCodeAt(common)) common++;
  let bytes = 0;
  for (let slash = path.indexOf('/', common); slash >= 0; slash = path.indexOf('/', slash + 1))
    if (slash > common || last.length > common) bytes += directoryBytes + slash;
  return bytes;
}
