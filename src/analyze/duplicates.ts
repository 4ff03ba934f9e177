/**
 * Finds visible files that hold the same contents, by their fingerprints. The analysis counts them, and a finding says which of them hard
 * links could replace.
 */
import type { LayerIndex } from '../changeset/layer-index.ts';
import { type ContentPrints, hasPrint, isSamePrint } from '../rootfs/facts/prints.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import type { ImageFates } from './fates.ts';

/** Which entries repeat the contents of an earlier one. */
export interface Duplicates {
  /** Bytes of the repeating entries of each layer, the lowest first. */
  readonly bytes: readonly number[];
  /** Yields the repeating entries of a layer, each with the last one before it that has the same contents. */
  of(layer: number): Iterable<Duplicate>;
}

export interface Duplicate {
  readonly entry: number;
  readonly before: { readonly layer: number; readonly entry: number };
}

/** The repeating entries of one layer in columns, since an image may have half a million of them. */
interface Repeated {
  readonly entries: Int32Array;
  readonly layers: Int32Array;
  readonly before: Int32Array;
}

/** What the search depends on: the layers by number, from 1. */
export interface DuplicateInput {
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly fates: ImageFates;
  /** Empty for a layer of which no fingerprints were taken. */
  readonly prints: ReadonlyMap<number, ContentPrints>;
}

/**
 * Finds the files whose data a container sees and whose contents an earlier entry of this or a lower layer has, too. Each file (inode)
 * counts once, and empty and sparse files do not count.
 */
export function* duplicateSteps({ indexes, fates, prints }: DuplicateInput): Steps<Duplicates> {
  const table = new PrintTable(prints);
  const bytes: number[] = [];
  const found = new Map<number, Repeated>();
  for (let layer = 1; layer <= indexes.size; layer++) {
    const { kinds, sizes } = indexes.get(layer) as LayerIndex;
    const lost = fates.layers.get(layer)?.lost;
    const own = prints.get(layer) ?? new Uint8Array(0);
    const [entries, layers, earlier]: [number[], number[], number[]] = [[], [], []];
    let sum = 0;
    for (let entry = 0; entry < kinds.length; entry++) {
      if (entry % itemsPerStep === itemsPerStep - 1) yield;
      if (kinds[entry] !== 'file' || lost?.[entry] === 1 || !hasPrint(own, entry)) continue;
      const before = table.replace(layer, entry);
      if (before === null) continue;
      entries.push(entry);
      layers.push(before.layer);
      earlier.push(before.entry);
      sum += sizes[entry] as number;
    }
    bytes.push(sum);
    found.set(layer, {
      entries: Int32Array.from(entries),
      layers: Int32Array.from(layers),
      before: Int32Array.from(earlier),
    });
    yield;
  }
  return { bytes, of: (layer) => listRepeated(found.get(layer)) };
}

function* listRepeated(repeated: Repeated | undefined): Generator<Duplicate> {
  if (repeated === undefined) return;
  for (const [i, entry] of repeated.entries.entries())
    yield { entry, before: { layer: repeated.layers[i] as number, entry: repeated.before[i] as number } };
}

/** The last entry of each contents so far: an open hash table, since a map of half a million texts would take fifty times the memory. */
class PrintTable {
  readonly #prints: ReadonlyMap<number, ContentPrints>;
  /** Layers and entries by slot; layer 0 stands for nothing. */
  #layers = new Int32Array(1024);
  #entries = new Int32Array(1024);
  #filled = 0;

  constructor(prints: ReadonlyMap<number, ContentPrints>) {
    this.#prints = prints;
  }

  /** Notes an entry as the last one of its contents. Returns the one before it; null for the first. */
  replace(layer: number, entry: number): Duplicate['before'] | null {
    if (2 * this.#filled >= this.#layers.length) this.#grow();
    const slot = this.#find(layer, entry);
    const before = this.#layers[slot] as number;
    const found = before === 0 ? null : { layer: before, entry: this.#entries[slot] as number };
    if (found === null) this.#filled++;
    this.#layers[slot] = layer;
    this.#entries[slot] = entry;
    return found;
  }

  #of(layer: number): ContentPrints {
    return this.#prints.get(layer) as ContentPrints;
  }

  /** Returns the slot of an equal fingerprint, else an empty one. Fingerprints are hashes, so that their first bytes spread well. */
  #find(layer: number, entry: number): number {
    const own = this.#of(layer);
    const at = entry * 16;
    const mask = this.#layers.length - 1;
    let slot =
      ((own[at] as number) | ((own[at + 1] as number) << 8) | ((own[at + 2] as number) << 16)) & mask;
    for (; ; slot = (slot + 1) & mask) {
      const other = this.#layers[slot] as number;
      if (other === 0 || isSamePrint(own, entry, this.#of(other), this.#entries[slot] as number)) return slot;
    }
  }

  #grow(): void {
    const [layers, entries] = [this.#layers, this.#entries];
    this.#layers = new Int32Array(2 * layers.length);
    this.#entries = new Int32Array(2 * layers.length);
    for (let i = 0; i < layers.length; i++) {
      if (layers[i] === 0) continue;
      const slot = this.#find(layers[i] as number, entries[i] as number);
      this.#layers[slot] = layers[i] as number;
      this.#entries[slot] = entries[i] as number;
    }
  }
}
