/**
 * Collects the files of layers for a page: which entries become rows, and the tree above them. The collectors of each kind of report
 * say what became of an entry.
 */
import { fates, type LayerFates } from '../../analyze/fates.ts';
import type { Path } from '../../bytes/path.ts';
import { baseOf } from '../../bytes/path.ts';
import type { ChangeKind, LayerIndex } from '../../changeset/layer-index.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { displayPath } from '../escape.ts';
import type { Fate } from './page.ts';
import { type FileTable, rowKinds, type RowKind } from './packed/file-table.ts';

/** An entry for the page, by the number of its path. */
export interface Row {
  readonly path: number;
  readonly size: number;
  readonly layer: number;
  readonly fate: number;
  readonly kind: RowKind;
}

/** The files of one image with what became of them. */
export interface CollectedFiles {
  readonly table: FileTable;
  readonly fates: readonly Fate[];
}

/** Numbers fates as they are met. */
export class FateList {
  readonly fates: Fate[] = [];
  readonly #numbers = new Map<Fate, number>();

  /** Numbers a fate. Callers give the same object for the same fate, since there may be half a million rows. */
  numberOf(fate: Fate): number {
    const known = this.#numbers.get(fate);
    if (known !== undefined) return known;
    const number = this.fates.push(fate) - 1;
    this.#numbers.set(fate, number);
    return number;
  }
}

/** Returns the kind of row of an entry; null for markers and for what is not content. */
export function rowKindOf({ kinds }: LayerIndex, entry: number): RowKind | null {
  const kind = kinds[entry] as ChangeKind;
  switch (kind) {
    case 'file':
    case 'directory':
    case 'symlink':
      return kind;
    case 'link':
      return 'hardlink';
    case 'char':
    case 'block':
    case 'fifo':
      return 'other';
    case 'whiteout':
    case 'opaque':
    case 'ignored':
      return null;
  }
}

/** Tells whether a container sees an entry. The data of a file may be seen by another name. */
export function isSeen({ fate, lost }: LayerFates, entry: number, kind: RowKind): boolean {
  return kind === 'file' ? lost[entry] !== 1 : fate[entry] === fates.kept;
}

/** An entry of a layer that becomes a row. */
export interface RowEntry {
  readonly layer: number;
  readonly entry: number;
  readonly kind: RowKind;
  readonly name: Path;
}

/** What the rows of a layer go into. */
export interface LayerRows {
  readonly table: PathTable;
  readonly rows: RowList;
  readonly list: FateList;
}

/** Adds the rows of one layer: its entries but markers, and of the directories only those in which nothing lies. */
export function* layerRowSteps(
  { table, rows, list }: LayerRows,
  layer: number,
  index: LayerIndex,
  fateOf: (entry: RowEntry) => Fate,
): Steps<void> {
  for (let entry = 0; entry < index.kinds.length; entry++) {
    if (entry % itemsPerStep === itemsPerStep - 1) yield;
    const kind = rowKindOf(index, entry);
    const name = index.paths[entry] as Path;
    if (kind === null || name === '') continue;
    const path = table.idOf(name);
    if (kind === 'directory' && table.end[path] !== path + 1) continue;
    const size = kind === 'file' ? (index.sizes[entry] as number) : 0;
    rows.push({ path, size, layer, kind, fate: list.numberOf(fateOf({ layer, entry, kind, name })) });
  }
}

/** Rows in columns: an image may have half a million of them. */
export class RowList {
  #paths = new Int32Array(1024);
  #sizes = new Float64Array(1024);
  #layers = new Int32Array(1024);
  #fates = new Int32Array(1024);
  #kinds = new Uint8Array(1024);
  #length = 0;

  push({ path, size, layer, fate, kind }: Row): void {
    if (this.#length === this.#paths.length) this.#grow();
    const at = this.#length++;
    this.#paths[at] = path;
    this.#sizes[at] = size;
    this.#layers[at] = layer;
    this.#fates[at] = fate;
    this.#kinds[at] = rowKinds.indexOf(kind);
  }

  #grow(): void {
    const length = 2 * this.#length;
    const [paths, layers, fates] = [new Int32Array(length), new Int32Array(length), new Int32Array(length)];
    const [sizes, kinds] = [new Float64Array(length), new Uint8Array(length)];
    paths.set(this.#paths);
    layers.set(this.#layers);
    fates.set(this.#fates);
    sizes.set(this.#sizes);
    kinds.set(this.#kinds);
    this.#paths = paths;
    this.#layers = layers;
    this.#fates = fates;
    this.#sizes = sizes;
    this.#kinds = kinds;
  }

  /** Makes the table of all rows: sorts them by path, in the order of pushing for each, and numbers the paths that are left. */
  *tableSteps({ paths, parent }: Pick<PathTable, 'paths' | 'parent'>): Steps<FileTable> {
    const numbers = new Int32Array(paths.length);
    const names: string[] = [];
    const parents: number[] = [];
    const used = this.#used(parent);
    for (let path = 0; path < paths.length; path++) {
      if (path % itemsPerStep === itemsPerStep - 1) yield;
      if (used[path] === 0) continue;
      numbers[path] = names.push(displayPath(baseOf(paths[path] as Path))) - 1;
      parents.push(path === 0 ? -1 : (numbers[parent[path] as number] as number));
    }
    const order = this.#order(paths.length);
    yield;
    return {
      names,
      parents: Int32Array.from(parents),
      nodes: Int32Array.from(order, (row) => numbers[this.#paths[row] as number] as number),
      sizes: Float64Array.from(order, (row) => this.#sizes[row] as number),
      layers: Int32Array.from(order, (row) => this.#layers[row] as number),
      fates: Int32Array.from(order, (row) => this.#fates[row] as number),
      kinds: Uint8Array.from(order, (row) => this.#kinds[row] as number),
    };
  }

  /** Returns a 1 for each path that has a row, or something below it has. */
  #used(parent: Int32Array): Uint8Array {
    const used = new Uint8Array(parent.length).fill(1, 0, 1);
    for (let row = 0; row < this.#length; row++)
      for (let at = this.#paths[row] as number; used[at] === 0; at = parent[at] as number) used[at] = 1;
    return used;
  }

  /** Returns the rows in the order of their paths, by counting. */
  #order(paths: number): Int32Array {
    const next = new Int32Array(paths + 1);
    for (let row = 0; row < this.#length; row++) (next[(this.#paths[row] as number) + 1] as number)++;
    for (let path = 0; path < paths; path++) (next[path + 1] as number) += next[path] as number;
    const order = new Int32Array(this.#length);
    for (let row = 0; row < this.#length; row++) {
      const path = this.#paths[row] as number;
      order[next[path] as number] = row;
      (next[path] as number)++;
    }
    return order;
  }
}
