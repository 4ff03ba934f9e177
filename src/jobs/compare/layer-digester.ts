/**
 * Reads the layers of images that are compared: each blob once, verified to its end. `verify.ts` and `diff.ts` make one for a
 * comparison.
 */
import { at, OcislimError } from '../../errors.ts';
import { type Listener, task } from '../../events.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import { type Image, layerOf } from '../../image/image.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Source } from '../../place/place.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { type DigestedLayer, type DigestOptions, digestTar } from '../../layers/read/digest-tar.ts';
import { Gatherer } from '../../layers/read/gather.ts';
import type { Gathering } from '../../layers/read/gathering.ts';
import type { HeaderAllowance } from '../../layers/read/allowance.ts';
import { LayerReader } from '../../layers/read/layer-reader.ts';
import { Scratch } from '../../files/scratch.ts';

/** An image with the place that its layers are read from. */
interface Side {
  readonly image: Image;
  readonly source: Source;
  readonly reader: LayerReader;
}

/** Which of the two images. */
export type SideName = 'a' | 'b';

/** A blob to read. */
interface Reading {
  readonly side: Side;
  readonly number: number;
  /** Whether its paths are needed; if not, the blob is only verified. */
  readonly forPaths: boolean;
}

export interface DigesterOptions extends Pick<DigestOptions, 'forms' | 'noiseless'> {
  readonly a: Source;
  readonly b: Source;
  readonly listener: Listener;
  /** Default: `defaultLimits`. */
  readonly limits?: Limits | undefined;
  /** Holds copies of blobs for a second reading. Default: none. */
  readonly scratch?: Scratch;
  /** The facts to gather about files. Default: none. */
  readonly gathering?: Gathering;
}

/** Both stacks of layers, lowest first. */
export interface DigestedStacks {
  readonly a: readonly DigestedLayer[];
  readonly b: readonly DigestedLayer[];
}

/** Reads the layers of pairs of images: each blob once, and the paths of one blob only among those with the same DiffID. */
export class LayerDigester {
  readonly #a: Omit<Side, 'image'>;
  readonly #b: Omit<Side, 'image'>;
  readonly #listener: Listener;
  readonly #layers = new Map<Digest, DigestedLayer>();
  readonly #allowances = new Map<Digest, HeaderAllowance>();
  readonly #verified = new Set<string>();

  readonly #options: DigesterOptions;

  constructor(options: DigesterOptions) {
    const { a, b, listener, limits = defaultLimits } = options;
    // No blob is read twice, so no scratch space for copies is needed.
    const { scratch = new Scratch(0) } = options;
    this.#a = { source: a, reader: new LayerReader({ source: a, scratch, listener, limits }) };
    this.#b = { source: b, reader: new LayerReader({ source: b, scratch, listener, limits }) };
    this.#listener = listener;
    this.#options = options;
  }

  /**
   * Returns the digested layers of both images; null if both have the same stack of DiffIDs. Then only blobs that are packed in
   * different ways are read, to verify that they unpack to these DiffIDs.
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

  /** Reads the contents of some entries of a layer, in one more reading of its blob. */
  async contents(
    { side, image, number }: { readonly side: SideName; readonly image: Image; readonly number: number },
    wanted: ReadonlySet<number>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, Uint8Array>> {
    const { reader, source } = side === 'a' ? this.#a : this.#b;
    const { size } = layerOf(image, number).descriptor;
    const [id, label] = [`read ${blobOf(image, number)}`, `files of layer ${number} of ${source.label}`];
    using reading = task(this.#listener, { id, phase: 'scan', label, total: size });
    const tar = reader.tar(image, number, signal, { onBytes: reading.advance });
    const { readContents } = await import('../../layers/read/read-contents.ts');
    const contents = await readContents(tar, wanted);
    reading.end(`${contents.size} files`);
    return contents;
  }

  /** Forgets the paths of all layers except these. */
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
    // A blob of both is read from B, which is the image to judge.
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
        const { forms = false, noiseless = false, gathering } = this.#options;
        const gatherer = gathering === undefined ? null : new Gatherer(gathering);
        this.#layers.set(diffId, await digestTar(tar, { allowance, forms, noiseless, gatherer }));
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

/** Names a blob with the DiffID that it must unpack to: of two configs with the same blob, one may state a wrong DiffID. */
function blobOf(image: Image, number: number): string {
  const { descriptor, diffId } = layerOf(image, number);
  return `${descriptor.digest} ${diffId}`;
}
