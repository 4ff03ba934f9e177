/**
 * Lays out tables whose last column is a long text: an instruction, a path, a sentence. The text of an analysis and of its gates is
 * made of them.
 */
import { escapeText } from '../escape.ts';
import { type Cell, layOut, textOf, truncate, widthOf, widthOfRows, wrap } from '../table.ts';

/** A row: short cells, and the long text behind them, escaped already. */
export interface TailRow {
  readonly cells: readonly Cell[];
  readonly tail: Cell;
}

/**
 * Makes the lines of an escaped text for a number of columns: one that is cut, or all of it. Each is escaped as a line of its own: what
 * is harmless within a line may be a command to a CI service at the begin of one.
 */
export type Fold = (text: string, width: number) => readonly string[];

/** Cuts a text at the end, for instructions. */
export const cut: Fold = (text, width) => [escapeText(truncate(text, width))];

/** Breaks a text anywhere, for paths: no character is lost. */
export const broken: Fold = (text, width) => breakUp(text, width).map(escapeText);

/** Wraps a text at spaces, and breaks words that are longer than a line. */
export const wrapped: Fold = (text, width) =>
  wrap(text, width)
    .flatMap((line) => (widthOf(line) > width ? breakUp(line, width) : [line]))
    .map(escapeText);

function breakUp(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const character of text) {
    const columns = widthOf(character);
    if (used + columns > width && line !== '') {
      lines.push(line);
      [line, used] = ['', 0];
    }
    line += character;
    used += columns;
  }
  return [...lines, line];
}

const [leastRoom, indent] = [24, '    '];

/** Lays out rows in columns. Where the terminal leaves too little room for the long texts, they go to lines of their own. */
export function layOutTails(
  rows: readonly TailRow[],
  alignment: string,
  { width, fold }: { readonly width: number; readonly fold: Fold },
): string[] {
  const used = widthOfRows(rows.map(({ cells }) => cells));
  const room = width - used - 2;
  if (room < leastRoom) {
    const lines = layOut(
      rows.map(({ cells }) => cells),
      alignment,
    );
    return lines.flatMap((line, i) => [line, ...ownLines(rows[i] as TailRow, width, fold)]);
  }
  const folded = rows.map(({ tail }) => fold(textOf(tail), room).map((line) => painted(tail, line)));
  const lines = layOut(
    rows.map(({ cells }, i) => [...cells, folded[i]?.[0] ?? '']),
    `${alignment.padEnd(rows[0]?.cells.length ?? 0, 'l')}l`,
  );
  return lines.flatMap((line, i) => [
    line,
    ...(folded[i] ?? []).slice(1).map((cell) => ' '.repeat(used + 2) + plainOrPainted(cell)),
  ]);
}

function ownLines({ tail }: TailRow, width: number, fold: Fold): string[] {
  const text = textOf(tail);
  if (text === '') return [];
  const room = Math.max(12, width - indent.length);
  return fold(text, room).map((line) => indent + plainOrPainted(painted(tail, line)));
}

function painted(like: Cell, text: string): Cell {
  return typeof like === 'string' ? text : { text, paint: like.paint };
}

function plainOrPainted(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.paint(cell.text);
}
