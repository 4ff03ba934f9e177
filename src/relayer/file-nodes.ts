/**
 * The files of a root filesystem by path number, in arrays: which path stands for a file with several names, its size, and the layer that
 * it is from. `components-of.ts` and what it calls read it.
 */
import { utf8Text } from '../bytes/bytes.ts';
import type { Change } from '../changeset/change.ts';
import type { LayerIndex } from '../changeset/layer-index.ts';
import type { Stack } from '../changeset/stack.ts';
import type { Tree } from '../changeset/tree.ts';

/** The bytes of a further name of a file in a tar. */
const linkBytes = 512;

/** What a tree of layers has at its paths. */
export class FileNodes {
  readonly #stack: Stack;
  readonly #tree: Tree;
  readonly #indexes: ReadonlyMap<number, LayerIndex>;
  readonly #base: number;
  /** By path: the first name of its file, itself included; -1 for what gets no component. */
  readonly #leader: Int32Array;

  constructor({
    stack,
    tree,
    indexes,
    base,
  }: {
    readonly stack: Stack;
    readonly tree: Tree;
    readonly indexes: ReadonlyMap<number, LayerIndex>;
    readonly base: number;
  }) {
    this.#stack = stack;
    this.#tree = tree;
    this.#indexes = indexes;
    this.#base = base;
    this.#leader = this.#findLeaders();
  }

  /** The number of paths. */
  get size(): number {
    return this.#leader.length;
  }

  /** Tells whether a path gets a component: a file that is not of the base, or an empty directory. */
  counts(id: number): boolean {
    return (this.#leader[id] as number) >= 0;
  }

  /** Tells whether a path is the first name of its file. */
  leads(id: number): boolean {
    return this.#leader[id] === id;
  }

  /** Returns the first name of the file of a path that counts. */
  leader(id: number): number {
    return this.#leader[id] as number;
  }

  /** Returns the bytes that a path takes in a tar. */
  bytes(id: number): number {
    if (!this.leads(id)) return linkBytes;
    const carrier = this.#carrier(id);
    return carrier === null ? linkBytes : (this.#column(carrier)?.bytes[carrier.entry] ?? linkBytes);
  }

  /** Returns the time of modification in seconds; 0 for a directory without an entry. */
  mtime(id: number): number {
    const carrier = this.#carrier(id);
    return carrier === null ? 0 : (this.#column(carrier)?.mtimes[carrier.entry] ?? 0);
  }

  /** Returns the source layer that a file is from. */
  layer(id: number): number {
    return this.#carrier(id)?.layer ?? 0;
  }

  /** Returns the component that a file names in an attribute; null for none. */
  componentName(id: number): string | null {
    const carrier = this.#carrier(id);
    const name = carrier === null ? undefined : this.#column(carrier)?.components?.get(carrier.entry);
    return name === undefined ? null : utf8Text(name);
  }

  #column({ layer }: Change): LayerIndex | undefined {
    return this.#indexes.get(layer);
  }

  #carrier(id: number): Change | null {
    const file = this.#tree.file[id] as number;
    return file > 0 ? this.#stack.list.get(file - 1) : this.#tree.at(id);
  }

  #findLeaders(): Int32Array {
    const { file, node } = this.#tree;
    const { parent } = this.#stack.table;
    const size = node.length;
    const leader = new Int32Array(size).fill(-1);
    let most = 0;
    for (const each of file) if (each > most) most = each;
    /** By file: its first name, plus one. */
    const first = new Int32Array(most + 1);
    const filled = new Uint8Array(size);
    for (let id = 1; id < size; id++) if (node[id] !== 0) filled[parent[id] as number] = 1;
    for (let id = 1; id < size; id++) {
      if (node[id] === 0 || this.layer(id) <= this.#base) continue;
      const number = file[id] as number;
      if (number <= 0) {
        if (filled[id] === 0) leader[id] = id;
        continue;
      }
      if (first[number] === 0) first[number] = id + 1;
      leader[id] = (first[number] as number) - 1;
    }
    return leader;
  }
}
