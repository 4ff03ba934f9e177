/**
 * The files of an image in the browser: the unpacked table with sums by directory, for both sides. The treemap and the table of files
 * read from it.
 */
import type { Fate, PageFiles } from '../page.ts';
import type { FileTable } from '../packed/file-table.ts';

/** Whether a side is that before (0) or after (1). */
export type Side = 0 | 1;

/** The sums of one side, by node, with all below it. */
export interface SideSums {
  readonly bytes: Float64Array;
  readonly rows: Uint32Array;
}

export class Model {
  readonly info: PageFiles;
  readonly table: FileTable;
  readonly sides: readonly [SideSums, SideSums];
  /** The rows of a node are those from `firstRow[node]` up to `firstRow[node + 1]`. */
  readonly firstRow: Uint32Array;
  /** The node behind the last one below each node. */
  readonly end: Uint32Array;
  /** Bytes and rows by fate. */
  readonly fateBytes: Float64Array;
  readonly fateRows: Uint32Array;
  /** Bytes by layer number, before and after. */
  readonly layerBytes: readonly [Float64Array, Float64Array];

  constructor(info: PageFiles, table: FileTable) {
    this.info = info;
    this.table = table;
    const count = table.names.length;
    this.sides = [sumsOf(count), sumsOf(count)];
    this.firstRow = new Uint32Array(count + 1);
    this.fateBytes = new Float64Array(info.fates.length);
    this.fateRows = new Uint32Array(info.fates.length);
    const most = table.layers.reduce((max, layer) => Math.max(max, layer), 0);
    this.layerBytes = [new Float64Array(most + 1), new Float64Array(most + 1)];
    this.#addRows();
    this.end = new Uint32Array(count);
    this.#addUp();
  }

  #addRows(): void {
    const { nodes, sizes, fates, layers } = this.table;
    for (let row = 0; row < nodes.length; row++) {
      const [node, size] = [nodes[row] as number, sizes[row] as number];
      (this.firstRow[node + 1] as number)++;
      const number = fates[row] as number;
      (this.fateBytes[number] as number) += size;
      (this.fateRows[number] as number)++;
      for (const side of [0, 1] as const) {
        if (!isOn(this.fate(row), side)) continue;
        (this.sides[side].bytes[node] as number) += size;
        (this.sides[side].rows[node] as number)++;
        (this.layerBytes[side][layers[row] as number] as number) += size;
      }
    }
    for (let node = 0; node < this.firstRow.length - 1; node++)
      (this.firstRow[node + 1] as number) += this.firstRow[node] as number;
  }

  /** Adds what is below each node to it: children come after their parents. */
  #addUp(): void {
    const { parents } = this.table;
    for (let node = parents.length - 1; node >= 0; node--) {
      if (this.end[node] === 0) this.end[node] = node + 1;
      const above = parents[node] as number;
      if (above < 0) continue;
      this.end[above] = Math.max(this.end[above] as number, this.end[node] as number);
      for (const { bytes, rows } of this.sides) {
        (bytes[above] as number) += bytes[node] as number;
        (rows[above] as number) += rows[node] as number;
      }
    }
  }

  fate(row: number): Fate {
    return this.info.fates[this.table.fates[row] as number] as Fate;
  }

  /** Returns the path of a node from the root, with a slash before it. */
  path(node: number): string {
    const { names, parents } = this.table;
    let path = '';
    for (let at = node; at > 0; at = parents[at] as number) path = `/${names[at] as string}${path}`;
    return path === '' ? '/' : path;
  }

  /** Yields the children of a node, in the order of their names. */
  *children(node: number): Generator<number> {
    const end = this.end[node] as number;
    for (let at = node + 1; at < end; at = this.end[at] as number) yield at;
  }

  isDirectory(node: number): boolean {
    return (this.end[node] as number) > node + 1;
  }

  /** Yields the rows of a node that one side has. */
  *rowsOf(node: number, side: Side): Generator<number> {
    const end = this.firstRow[node + 1] as number;
    for (let row = this.firstRow[node] as number; row < end; row++) if (isOn(this.fate(row), side)) yield row;
  }
}

/** Tells whether files of a fate are on a side. */
function isOn(fate: Fate, side: Side): boolean {
  return side === 0 ? fate.before : fate.after;
}

function sumsOf(count: number): SideSums {
  return { bytes: new Float64Array(count), rows: new Uint32Array(count) };
}
