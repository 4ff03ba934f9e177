/** Where things stand on a screen. The model scrolls by it, the mouse is understood by it, and the view draws by it. */
import type { Size } from './state.ts';

/** The smallest screen that shows everything. */
export const smallest: Size = { columns: 60, rows: 15 };

/** Rows and columns count from 0. */
export interface Layout {
  /** Columns of the layers, and of the tree. One column lies between them. */
  readonly left: number;
  readonly right: number;
  /** The first row of both panes, below their titles, and how many they have. */
  readonly bodyTop: number;
  readonly bodyRows: number;
  /** The first row of the details, below their rule. */
  readonly detailTop: number;
  readonly detailRows: number;
}

/** Divides a screen. One that is too small is divided as the smallest one. */
export function layoutOf({ columns, rows }: Size): Layout {
  const width = Math.max(columns, 20);
  const left = width < 70 ? 22 : width < 100 ? 30 : width < 150 ? 44 : 64;
  const detailRows = rows < 18 ? 3 : rows < 28 ? 5 : 6;
  // The title, the titles of the panes, the rule above the details, the line of marks and the line of keys.
  const bodyRows = Math.max(1, rows - 5 - detailRows);
  return {
    left,
    right: Math.max(1, width - left - 1),
    bodyTop: 2,
    bodyRows,
    detailTop: 3 + bodyRows,
    detailRows,
  };
}

/** Scrolls as little as needed for a row to be on the screen. */
export function scrolled(top: number, cursor: number, height: number, count: number): number {
  const most = Math.max(0, count - height);
  const wanted = cursor < top ? cursor : cursor >= top + height ? cursor - height + 1 : top;
  return Math.max(0, Math.min(wanted, most));
}
