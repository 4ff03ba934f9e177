/** Plain tables: packages, rules, the attack surface. Each is a virtual table, with a search where it is long. */
import type { DataTable } from '../page.ts';
import { chapter, type Child, el } from './dom.ts';
import { formatValue } from './values.ts';
import { type Column, type Sorting, VirtualTable } from './virtual-table.ts';

/** Rows from which a table has a search. */
const searchedFrom = 12;
/** Rows that are seen without scrolling. */
const rowsInSight = 12;

/** A table with its note and search, which can be drawn for print. */
interface DrawnTable {
  readonly parts: readonly Child[];
  draw(forPrint: boolean): void;
}

/** A chapter that can be drawn for print. */
export interface DrawnChapter {
  readonly element: HTMLElement;
  draw(forPrint: boolean): void;
}

/** Makes the chapter of a table. `id` names it among the chapters of its image. */
export function tableChapter(id: string, data: DataTable): DrawnChapter {
  const table = dataTable(data);
  return { element: chapter(id, data.title, table.parts), draw: (forPrint) => table.draw(forPrint) };
}

/** Makes a table without a heading. */
export function dataTable(data: DataTable): DrawnTable {
  const { title, note, rows } = data;
  const shown: Shown = { text: '', sorting: null };
  const table = new VirtualTable(title, columnsOf(data), {
    sorting: { column: -1, descending: false },
    onSort: (sorting) => {
      shown.sorting = sorting;
      table.show(chosenRows(data, shown));
    },
  });
  table.element.classList.add('short');
  table.element.style.setProperty('--rows', String(Math.min(rows.length, rowsInSight) + 1));
  table.show(chosenRows(data, shown));
  const search = searchField(title, (text) => {
    shown.text = text;
    table.show(chosenRows(data, shown));
  });
  return {
    parts: [
      note !== null && el('p', { class: 'hint' }, note),
      rows.length >= searchedFrom && el('div', { class: 'tools' }, search),
      table.element,
    ],
    draw: (forPrint) => table.draw(forPrint),
  };
}

/** What a reader has asked a table for. */
interface Shown {
  /** In lower case. */
  text: string;
  sorting: Sorting | null;
}

/** Makes the columns: numbers to the right, and the first text the widest. */
function columnsOf(data: DataTable): Column[] {
  return data.columns.map(({ title, unit }, i): Column => {
    const isNumber = unit !== 'text' && unit !== 'path';
    return {
      title,
      kind: isNumber ? 'number' : unit,
      width: isNumber ? '7rem' : unit === 'path' || i === 0 ? 'minmax(0, 2fr)' : 'minmax(0, 1fr)',
      cell: (row) => el('span', { title: isNumber ? null : textOf(data, row, i) }, textOf(data, row, i)),
    };
  });
}

function textOf({ columns, rows }: DataTable, row: number, column: number): string {
  const value = rows[row]?.[column] ?? null;
  const unit = columns[column]?.unit ?? 'text';
  if (value === null) return '\u2013';
  return typeof value === 'number' && unit !== 'text' && unit !== 'path'
    ? formatValue(value, unit)
    : String(value);
}

/** Returns the rows that have a text, sorted as asked. */
function chosenRows({ rows }: DataTable, { text, sorting }: Shown): number[] {
  const has = (value: Value) =>
    String(value ?? '')
      .toLowerCase()
      .includes(text);
  const found = rows.flatMap((row, i) => (text === '' || row.some(has) ? [i] : []));
  if (sorting === null) return found;
  const { column, descending } = sorting;
  const valueOf = (row: number) => rows[row]?.[column] ?? null;
  return found.sort((a, b) => (descending ? -1 : 1) * compare(valueOf(a), valueOf(b)));
}

/** Makes a field to search in. `onText` gets what is written, in lower case. */
function searchField(title: string, onText: (text: string) => void): HTMLElement {
  const label = `Search ${title}`;
  const search = el('input', {
    type: 'search',
    placeholder: 'Search',
    'aria-label': label,
    autocomplete: 'off',
  });
  search.addEventListener('input', () => onText(search.value.toLowerCase()));
  return search;
}

type Value = string | number | null;

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a ?? ''), String(b ?? '')];
  return left < right ? -1 : left > right ? 1 : 0;
}
