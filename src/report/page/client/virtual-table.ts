/**
 * A table of which only the rows in sight are elements, so that it may have hundreds of thousands. `files.ts` and `data-table.ts` fill
 * it. Rows have one height; for print, the first ones are all made elements.
 */
import { type Child, el, replace } from './dom.ts';

export interface Column {
  readonly title: string;
  /** The class of its cells: `number`, `path`, `text`. */
  readonly kind: string;
  /** Its width, as in `grid-template-columns`. */
  readonly width: string;
  /** Returns what a cell shows. */
  readonly cell: (row: number) => Child;
}

export interface Sorting {
  readonly column: number;
  readonly descending: boolean;
}

/** Rows that are printed. */
const printedRows = 100;
/** Rows outside of sight on either side that are elements. */
const spareRows = 8;

export class VirtualTable {
  readonly element: HTMLElement;
  readonly #columns: readonly Column[];
  readonly #body = el('div', { class: 'vbody', role: 'rowgroup' });
  readonly #head: HTMLElement;
  readonly #onSort: (sorting: Sorting) => void;
  #rows: ArrayLike<number> = [];
  #sorting: Sorting;

  constructor(
    label: string,
    columns: readonly Column[],
    { sorting, onSort }: { readonly sorting: Sorting; readonly onSort: (sorting: Sorting) => void },
  ) {
    this.#columns = columns;
    this.#sorting = sorting;
    this.#onSort = onSort;
    const heads = columns.map((_, i) => this.#headCell(i));
    this.#head = el('div', { class: 'vrow vhead', role: 'row' }, heads);
    this.element = el(
      'div',
      { class: 'vtable', role: 'table', 'aria-label': label, tabindex: 0 },
      el('div', { role: 'rowgroup', class: 'vheads' }, this.#head),
      this.#body,
    );
    this.element.style.setProperty('--columns', columns.map(({ width }) => width).join(' '));
    this.element.addEventListener('scroll', () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.element);
    this.#markSorting();
  }

  /** Shows these rows, in this order. */
  show(rows: ArrayLike<number>): void {
    this.#rows = rows;
    this.element.setAttribute('aria-rowcount', String(rows.length + 1));
    this.element.scrollTop = 0;
    this.draw();
  }

  /** Makes elements of the rows in sight; of the first ones, for print. */
  draw(forPrint = false): void {
    const height = this.#rowHeight();
    const first = forPrint ? 0 : Math.max(0, Math.floor(this.element.scrollTop / height) - spareRows);
    const inSight = Math.ceil(this.element.clientHeight / height) + 2 * spareRows;
    const last = Math.min(this.#rows.length, forPrint ? printedRows : first + inSight);
    const made: HTMLElement[] = [];
    for (let at = first; at < last; at++) made.push(this.#row(at, height));
    this.#body.style.height = `${(forPrint ? last : this.#rows.length) * height}px`;
    replace(this.#body, made);
  }

  #rowHeight(): number {
    return Number.parseFloat(getComputedStyle(this.element).getPropertyValue('--row')) || 28;
  }

  #row(at: number, height: number): HTMLElement {
    const row = this.#rows[at] as number;
    const cells = this.#columns.map(({ kind, cell }) => el('div', { class: kind, role: 'cell' }, cell(row)));
    const made = el('div', { class: 'vrow', role: 'row', 'aria-rowindex': at + 2 }, cells);
    made.style.top = `${at * height}px`;
    return made;
  }

  #headCell(column: number): HTMLElement {
    const { title, kind } = this.#columns[column] as Column;
    const sort = el('button', { type: 'button' }, title);
    sort.addEventListener('click', () => {
      const isSame = this.#sorting.column === column;
      // Numbers begin with the largest, texts with the first.
      const descending = isSame ? !this.#sorting.descending : kind === 'number';
      this.#sorting = { column, descending };
      this.#markSorting();
      this.#onSort(this.#sorting);
    });
    return el('div', { class: kind, role: 'columnheader' }, sort);
  }

  #markSorting(): void {
    const { column, descending } = this.#sorting;
    for (const [i, cell] of [...this.#head.children].entries())
      cell.setAttribute('aria-sort', i !== column ? 'none' : descending ? 'descending' : 'ascending');
  }
}
