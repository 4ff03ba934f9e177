/**
 * Lays out the rows of the summary for a terminal that is too narrow for one table: remarks and the names of rules go to lines of
 * their own, so that nothing is cut. `summary.ts` calls it.
 */
import { type Cell, layOut, textOf, widthOf, wrap } from './table.ts';

const [remarkIndent, figuresWidth] = ['    ', 14];

/** Lays out rows of `renderPlatformRows`: label, name, before, arrow, after, change, remark. */
export function layOutNarrow(rows: readonly (readonly Cell[])[], width: number): string[] {
  const sums = rows.filter(isSum);
  const table = layOut(sums.map(figuresOf), 'lrlrr');
  return rows.flatMap((row) => {
    if (isSum(row)) return [table[sums.indexOf(row)] ?? '', ...remarkOf(row, width)];
    const label = textOf(row[0] ?? '');
    return [...(label === '' ? [] : [label]), ...partOf(row, width)];
  });
}

/** Whether a row is the sum of a kind: it has a label and figures, and no name. */
function isSum([label = '', name = '']: readonly Cell[]): boolean {
  return textOf(label) !== '' && textOf(name) === '';
}

function figuresOf([
  label = '',
  ,
  before = '',
  arrow = '',
  after = '',
  change = '',
]: readonly Cell[]): Cell[] {
  return [label, before, arrow, after, change];
}

function remarkOf(row: readonly Cell[], width: number): string[] {
  const remark = row[6] ?? '';
  if (textOf(remark) === '') return [];
  return wrap(textOf(remark), width - remarkIndent.length).map(
    (line) => remarkIndent + paintAs(remark, line),
  );
}

/** Lays out a part of a sum, such as a rule: its figures, then its name and remark. */
function partOf([, name = '', ...rest]: readonly Cell[], width: number): string[] {
  const [before = '', arrow = '', after = '', change = '', remark = ''] = rest;
  const figures = [before, arrow, after, change].map(textOf).filter((text) => text !== '');
  const words = [name, remark].map(textOf).filter((text) => text !== '');
  const room = Math.max(20, width - figuresWidth - 2);
  const paint = textOf(name) === '' ? remark : name;
  return wrap(words.join(': '), room).map((line, i) => {
    const start = i === 0 ? figures.join(' ') : '';
    return `${' '.repeat(Math.max(0, figuresWidth - widthOf(start)))}${start}  ${paintAs(paint, line)}`;
  });
}

function paintAs(cell: Cell, text: string): string {
  return typeof cell === 'string' ? text : cell.paint(text);
}
