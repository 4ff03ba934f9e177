/**
 * Lays out one side of the treemap: decides which directories are opened, and where cells come. `treemap.ts` draws them. What would be
 * smaller than a few pixels is put together.
 */
import { hierarchy, type HierarchyRectangularNode, treemap, treemapSquarify } from 'd3-hierarchy';
import { formatCount } from '../../figures.ts';
import type { Palette } from './colors.ts';
import type { Model, Side } from './model.ts';

/** A rectangle of the treemap. */
export interface Cell {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** The node that it is about; for what was put together, the directory above. */
  readonly node: number;
  /** Its row; null for directories and for what was put together. */
  readonly row: number | null;
  readonly name: string;
  readonly bytes: number;
  /** The class of its colour; null for the frame of an opened directory. */
  readonly color: string | null;
  /** Whether the frame has room for the name of the directory. */
  readonly hasHead: boolean;
}

interface Branch {
  readonly node: number;
  readonly row: number | null;
  readonly name: string;
  readonly bytes: number;
  readonly color: string | null;
  readonly children: readonly Branch[] | null;
}

/** Square pixels below which a directory is not opened, and a cell is put together with others. */
const openFrom = 700;
const cellFrom = 16;
/** Pixels of the line with the name of a directory. */
export const headHeight = 16;

/** What a layout goes by. */
export interface Wanted {
  readonly side: Side;
  readonly root: number;
  readonly width: number;
  readonly height: number;
  readonly palette: Palette;
}

/** Lays out what is below a directory; frames come before what is in them. */
export function layOut(model: Model, { side, root, width, height, palette }: Wanted): Cell[] {
  const bytes = model.sides[side].bytes[root] as number;
  if (bytes === 0 || width < 1 || height < 1) return [];
  const grow = new Growing(model, side, palette, (width * height) / bytes);
  const tree = hierarchy<Branch>(grow.branch(root, true), ({ children }) => children)
    .sum(({ children, bytes }) => (children === null ? bytes : 0))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const laid = treemap<Branch>()
    .tile(treemapSquarify.ratio(1.3))
    .size([width, height])
    .paddingInner(1)
    .paddingOuter((node) => (node.depth === 0 ? 0 : hasHead(node) ? 2 : 1))
    .paddingTop((node) => (node.depth === 0 ? 0 : hasHead(node) ? headHeight : 1))
    .round(true)(tree);
  return laid
    .descendants()
    .slice(1)
    .map(cellOf)
    .filter(({ width, height }) => width > 0 && height > 0);
}

/** Tells whether a directory has room for its name. */
function hasHead({ x0, x1, y0, y1 }: HierarchyRectangularNode<Branch>): boolean {
  return x1 - x0 >= 52 && y1 - y0 >= 40;
}

function cellOf(node: HierarchyRectangularNode<Branch>): Cell {
  const { x0, x1, y0, y1, data } = node;
  const { children, ...rest } = data;
  return {
    x: x0,
    y: y0,
    width: x1 - x0,
    height: y1 - y0,
    ...rest,
    hasHead: children !== null && hasHead(node),
  };
}

/** Grows the tree that is laid out, as far as there are pixels for it. */
class Growing {
  readonly #model: Model;
  readonly #side: Side;
  readonly #palette: Palette;
  /** Square pixels of a byte. */
  readonly #scale: number;

  constructor(model: Model, side: Side, palette: Palette, scale: number) {
    this.#model = model;
    this.#side = side;
    this.#palette = palette;
    this.#scale = scale;
  }

  /** Returns a directory or file with what is in it; directories that only lead to another are one with that. A root is opened however small it is. */
  branch(node: number, isRoot: boolean): Branch {
    if (!isRoot) {
      const only = this.#onlyDirectoryIn(node);
      if (only !== null) {
        const below = this.branch(only, false);
        return { ...below, name: `${this.#model.table.names[node] as string}/${below.name}` };
      }
    }
    return this.#whole(node, isRoot);
  }

  /** Returns the directory that is all that a directory holds; null where it holds files, or several. */
  #onlyDirectoryIn(node: number): number | null {
    const { bytes } = this.#model.sides[this.#side];
    for (const child of this.#model.children(node))
      if (bytes[child] === bytes[node]) return this.#model.isDirectory(child) ? child : null;
    return null;
  }

  #whole(node: number, isRoot: boolean): Branch {
    const { sides, table } = this.#model;
    const bytes = sides[this.#side].bytes[node] as number;
    const whole = { node, row: null, name: table.names[node] as string, bytes, color: null };
    const isOpen = isRoot || (this.#model.isDirectory(node) && bytes * this.#scale >= openFrom);
    if (isOpen) return { ...whole, children: this.#childrenOf(node) };
    const rows = [...this.#model.rowsOf(node, this.#side)];
    if (this.#model.isDirectory(node) || rows.length === 0)
      return { ...whole, color: this.#mainColor([node]), children: null };
    if (rows.length > 1) return { ...whole, children: rows.map((row) => this.#leaf(node, row)) };
    return this.#leaf(node, rows[0] as number);
  }

  #leaf(node: number, row: number): Branch {
    const { names } = this.#model.table;
    const bytes = this.#model.table.sizes[row] as number;
    const name = names[node] as string;
    return { node, row, name, bytes, color: this.#palette.colorOf(row), children: null };
  }

  #childrenOf(node: number): Branch[] {
    const { bytes } = this.#model.sides[this.#side];
    const branches: Branch[] = [...this.#model.rowsOf(node, this.#side)].map((row) => this.#leaf(node, row));
    const small: number[] = [];
    for (const child of this.#model.children(node)) {
      const own = bytes[child] as number;
      if (own === 0) continue;
      if (own * this.#scale < cellFrom) small.push(child);
      else branches.push(this.branch(child, false));
    }
    if (small.length > 0) branches.push(this.#together(node, small));
    return branches;
  }

  /** Puts small children together as one cell. */
  #together(node: number, small: readonly number[]): Branch {
    const { bytes } = this.#model.sides[this.#side];
    const sum = small.reduce((total, child) => total + (bytes[child] as number), 0);
    const name = `${formatCount(small.length)} more`;
    return { node, row: null, name, bytes: sum, color: this.#mainColor(small), children: null };
  }

  /** Returns the colour that has the most bytes below some nodes. */
  #mainColor(nodes: readonly number[]): string {
    const { table, firstRow, end } = this.#model;
    const sums = new Map<string, number>();
    let [best, most] = ['c-rest', -1];
    for (const node of nodes) {
      const last = firstRow[end[node] as number] as number;
      for (let row = firstRow[node] as number; row < last; row++) {
        const fate = this.#model.fate(row);
        if (!(this.#side === 0 ? fate.before : fate.after)) continue;
        const color = this.#palette.colorOf(row);
        const sum = (sums.get(color) ?? 0) + (table.sizes[row] as number);
        sums.set(color, sum);
        if (sum > most) [best, most] = [color, sum];
      }
    }
    return best;
  }
}
