import { at, OcislimError } from '../../errors.ts';
import { type Listener, task } from '../../events.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import { type Image, layerOf } from '../../image/image.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Source } from '../../place/place.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { type DigestedLayer, digestTar } from '../../layers/read/digest-tar.ts';
import type { HeaderAllowance } from '../../layers/read/allowance.ts';
import { LayerReader } from '../../layers/read/layer-reader.ts';
import { Scratch } from '../../files/scratch.ts';

/** An image and the place that its layers are read from. */
interface Side {
  readonly image: Image;
  readonly source: Source;
  readonly reader: LayerReader;
}

/** A blob to read: for its paths too, or only to see that it holds what it should. */
interface Reading {
  readonly side: Side;
  readonly number: number;
  readonly forPaths: boolean;
}

/** Both stacks of layers, lowest first. */
export interface DigestedStacks {
  readonly a: readonly DigestedLayer[];
  readonly b: readonly DigestedLayer[];
}

/** Reads the layers of pairs of images: each blob once, and for its paths only one of those with the same DiffID. */
export class LayerDigester {
  readonly #a: Omit<Side, 'image'>;
  readonly #b: Omit<Side, 'image'>;
  readonly #listener: Listener;
  readonly #layers = new Map<Digest, DigestedLayer>();
  readonly #allowances = new Map<Digest, HeaderAllowance>();
  readonly #verified = new Set<string>();

  constructor(a: Source, b: Source, listener: Listener, limits: Limits = defaultLimits) {
    // Nothing is read twice: copies would be of no use.
    const scratch = new Scratch(0);
    this.#a = { source: a, reader: new LayerReader({ source: a, scratch, listener, limits }) };
    this.#b = { source: b, reader: new LayerReader({ source: b, scratch, listener, limits }) };
    this.#listener = listener;
  }

  /**
   * Null where both images have the same stack of DiffIDs: then only blobs that are packed in different ways are read,
   * to see that they do unpack to these.
   */
  async digest(a: Image, b: Image, jobs: number, signal: AbortSignal): Promise<DigestedStacks | null> {
    const same = hasSameLayers(a, b);
    const readings = this.#plan({ image: a, ...this.#a }, { image: b, ...this.#b }, same);
    await mapParallel(readings, jobs, signal, (reading, _, inner) => this.#read(reading, inner));
    if (same) return null;
    const stackOf = (image: Image) =>
      image.config.diffIds.map((diffId) => this.#layers.get(diffId) as DigestedLayer);
    return { a: stackOf(a), b: stackOf(b) };
  }

  /** Forgets the paths of all layers but these. */
  keepOnly(diffIds: Iterable<Digest>): void {
    const kept = new Set(diffIds);
    for (const diffId of this.#layers.keys()) {
      if (kept.has(diffId)) continue;
      this.#layers.delete(diffId);
      this.#allowances.get(diffId)?.release();
      this.#allowances.delete(diffId);
    }
  }

  #plan(a: Side, b: Side, same: boolean): Reading[] {
    const readings = new Map<string, Reading>();
    const known = new Set(this.#layers.keys());
    // What both have is read from B: that is the image to judge.
    for (const side of [b, a]) {
      for (let number = 1; number <= side.image.manifest.layers.length; number++) {
        if (same && layerOf(a.image, number).descriptor.digest === layerOf(b.image, number).descriptor.digest)
          continue;
        const { diffId } = layerOf(side.image, number);
        const blob = blobOf(side.image, number);
        const forPaths = !same && !known.has(diffId);
        if (!forPaths && (this.#verified.has(blob) || readings.has(blob))) continue;
        known.add(diffId);
        readings.set(blob, { side, number, forPaths });
      }
    }
    return [...readings.values()];
  }

  async #read({ side, number, forPaths }: Reading, signal: AbortSignal): Promise<void> {
    const { image, source, reader } = side;
    const { descriptor, diffId } = layerOf(image, number);
    const where = `source ${source.label}, layer ${number}`;
    const id = `verify ${blobOf(image, number)}`;
    const label = `layer ${number} of ${source.label}`;
    using reading = task(this.#listener, { id, phase: 'scan', label, total: descriptor.size });
    const tar = reader.tar(image, number, signal, { onBytes: reading.advance });
    try {
      if (forPaths) {
        const allowance = reader.headerAllowance();
        this.#layers.set(diffId, await digestTar(tar, allowance));
        this.#allowances.set(diffId, allowance);
      } else for await (const _ of tar);
    } catch (error) {
      throw error instanceof OcislimError && error.message.startsWith(where) ? error : at(where, error);
    }
    this.#verified.add(blobOf(image, number));
    const entries = this.#layers.get(diffId)?.index.kinds.length;
    reading.end(forPaths ? `${entries} entries` : 'unpacks to its DiffID');
  }
}

function hasSameLayers(a: Image, b: Image): boolean {
  const [before, after] = [a.config.diffIds, b.config.diffIds];
  return before.length === after.length && before.every((diffId, i) => diffId === after[i]);
}

/** The blob with what it must unpack to: a config may lie about one that another tells the truth about. */
function blobOf(image: Image, number: number): string {
  const { descriptor, diffId } = layerOf(image, number);
  return `${descriptor.digest} ${diffId}`;
}
