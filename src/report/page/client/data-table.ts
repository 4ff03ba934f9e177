/** Plain tables: packages, rules, the attack surface. Each is a virtual table, with a search where it is long. */
import type { DataTable } from '../page.ts';
import { chapter, el } from './dom.ts';
import { formatValue } from './values.ts';
import { type Column, type Sorting, VirtualTable } from './virtual-table.ts';

/** Rows from which a table has a search. */
const searchedFrom = 12;
/** Rows that are seen without scrolling. */
const rowsInSight = 12;

/** A chapter that can be drawn for print. */
export interface DrawnChapter {
  readonly element: HTMLElement;
  draw(forPrint: boolean): void;
}

/** Makes the chapter of a table. `id` names it among the chapters of its image. */
export function tableChapter(id: string, { title, note, columns, rows }: DataTable): DrawnChapter {
  const firstNumber = columns.findIndex(({ unit }) => unit !== 'text' && unit !== 'path');
  let sorting: Sorting | null = null;
  let text = '';
  const cellText = (row: number, column: number): string => {
    const value = rows[row]?.[column] ?? null;
    const unit = columns[column]?.unit ?? 'text';
    if (value === null) return '\u2013';
    return typeof value === 'number' && unit !== 'text' && unit !== 'path'
      ? formatValue(value, unit)
      : String(value);
  };
  const made = columns.map(({ title, unit }, i): Column => {
    const isNumber = unit !== 'text' && unit !== 'path';
    return {
      title,
      kind: isNumber ? 'number' : unit,
      width: isNumber ? '7rem' : unit === 'path' || i === 0 ? 'minmax(0, 2fr)' : 'minmax(0, 1fr)',
      cell: (row) => el('span', { title: isNumber ? null : cellText(row, i) }, cellText(row, i)),
    };
  });
  const table = new VirtualTable(title, made, {
    sorting: { column: -1, descending: false },
    onSort: (next) => {
      sorting = next;
      update();
    },
  });
  const update = () => {
    const found = rows.flatMap((row, i) =>
      text === '' ||
      row.some((value) =>
        String(value ?? '')
          .toLowerCase()
          .includes(text),
      )
        ? [i]
        : [],
    );
    if (sorting !== null) {
      const { column, descending } = sorting;
      found.sort(
        (a, b) => (descending ? -1 : 1) * compare(rows[a]?.[column] ?? null, rows[b]?.[column] ?? null),
      );
    }
    table.show(found);
  };
  table.element.classList.add('short');
  table.element.style.setProperty('--rows', String(Math.min(rows.length, rowsInSight) + 1));
  if (firstNumber < 0) table.element.classList.add('texts');
  update();
  const search = el('input', {
    type: 'search',
    placeholder: 'Search',
    'aria-label': `Search ${title}`,
    autocomplete: 'off',
  });
  search.addEventListener('input', () => {
    text = search.value.toLowerCase();
    update();
  });
  return {
    element: chapter(
      id,
      title,
      note !== null && el('p', { class: 'hint' }, note),
      rows.length >= searchedFrom && el('div', { class: 'tools' }, search),
      table.element,
    ),
    draw: (forPrint) => table.draw(forPrint),
  };
}

type Value = string | number | null;

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a ?? ''), String(b ?? '')];
  return left < right ? -1 : left > right ? 1 : 0;
}
