/**
 * The files of a root filesystem by path number, in arrays: which path stands for a file with several names, its size, and the layer that
 * it is from. `components-of.ts` and what it calls read it.
 */
import { utf8Text } from '../bytes/bytes.ts';
import type { Change } from '../changeset/change.ts';
import type { LayerIndex } from '../changeset/layer-index.ts';
import type { Stack } from '../changeset/stack.ts';
import type { Tree } from '../changeset/tree.ts';
import { itemsPerStep, type Steps } from '../steps.ts';

/** The bytes of a further name of a file in a tar. */
const linkBytes = 512;

/** A tree of layers, and where its files come from. */
export interface LayeredTree {
  readonly stack: Stack;
  readonly tree: Tree;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  /** The layers up to this one keep their files. */
  readonly base: number;
}

/** What a tree of layers has at its paths. */
export class FileNodes {
  readonly #image: LayeredTree;
  /** By path: the first name of its file, itself included; -1 for what gets no component. */
  readonly #leader: Int32Array;
  readonly #layer: Int32Array;
  readonly #bytes: Float64Array;

  private constructor(image: LayeredTree) {
    this.#image = image;
    const size = image.tree.node.length;
    this.#leader = new Int32Array(size).fill(-1);
    this.#layer = new Int32Array(size);
    this.#bytes = new Float64Array(size);
  }

  /** Reads a tree. */
  static *steps(image: LayeredTree): Steps<FileNodes> {
    const nodes = new FileNodes(image);
    yield* nodes.#fillSteps();
    return nodes;
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
    return this.#bytes[id] as number;
  }

  /** Returns the source layer that a file is from; 0 for what gets no component. */
  layer(id: number): number {
    return this.#layer[id] as number;
  }

  /** Returns the time of modification in seconds; 0 for a directory without an entry. */
  mtime(id: number): number {
    const carrier = this.#carrier(id);
    return carrier === null ? 0 : (this.#index(carrier)?.mtimes[carrier.entry] ?? 0);
  }

  /** Returns the component that a file names in an attribute; null for none. */
  componentName(id: number): string | null {
    const components = this.#image.indexes.get(this.layer(id))?.components;
    if (components === undefined) return null;
    const name = components.get(this.#carrier(id)?.entry ?? -1);
    return name === undefined ? null : utf8Text(name);
  }

  #index({ layer }: Change): LayerIndex | undefined {
    return this.#image.indexes.get(layer);
  }

  #carrier(id: number): Change | null {
    const { tree, stack } = this.#image;
    const file = tree.file[id] as number;
    return file > 0 ? stack.list.get(file - 1) : tree.at(id);
  }

  *#fillSteps(): Steps<void> {
    const { tree, stack, base } = this.#image;
    const { file, node } = tree;
    const { parent } = stack.table;
    /** By path: whether something is in it. */
    const filled = new Uint8Array(node.length);
    for (let id = 1; id < node.length; id++) if (node[id] !== 0) filled[parent[id] as number] = 1;
    let most = 0;
    for (const each of file) if (each > most) most = each;
    /** By file: its first name, plus one. */
    const first = new Int32Array(most + 1);
    for (let id = 1; id < node.length; id++) {
      if (id % itemsPerStep === 0) yield;
      if (node[id] === 0) continue;
      const number = file[id] as number;
      if (number <= 0 && filled[id] === 1) continue;
      const carrier = this.#carrier(id);
      if (carrier === null || carrier.layer <= base) continue;
      if (number > 0 && first[number] === 0) first[number] = id + 1;
      this.#leader[id] = number > 0 ? (first[number] as number) - 1 : id;
      this.#layer[id] = carrier.layer;
      this.#bytes[id] = this.leads(id)
        ? (this.#index(carrier)?.bytes[carrier.entry] ?? linkBytes)
        : linkBytes;
    }
  }
}
