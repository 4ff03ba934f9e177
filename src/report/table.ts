/**
 * Lays out tables and wraps text for a terminal, whose columns it counts. Summaries, traces and help call it.
 */
import type { Paint } from './style.ts';

/** A cell. It is painted after padding, so that escape sequences do not count as columns. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

/**
 * Lays out rows in columns, two spaces apart, without spaces at the end. `r` in `alignment` aligns a column to the right. A cell wider
 * than `widest` does not widen its column: the rest of its row moves.
 */
export function layOut(rows: readonly (readonly Cell[])[], alignment: string, widest = Infinity): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) {
      const width = widthOf(textOf(cell));
      widths[i] = Math.max(widths[i] ?? 0, width > widest ? 0 : width);
    }
  return rows.map((row) => {
    let line = '';
    let gap = '';
    for (const [i, cell] of row.entries()) {
      const text = textOf(cell);
      const fill = ' '.repeat(Math.max(0, (widths[i] as number) - widthOf(text)));
      const painted = typeof cell === 'string' ? text : cell.paint(text);
      const right = alignment[i] === 'r';
      if (text !== '') {
        line += gap + (right ? fill : '') + painted;
        gap = '';
      } else if (right) gap += fill;
      gap += `${right ? '' : text === '' ? ' '.repeat(widths[i] as number) : fill}  `;
    }
    return line;
  });
}

/** East Asian wide characters (Unicode TR11) and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

/** Counts the columns of a text on a terminal: two for East Asian wide characters and emoji, none for combining marks. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += /\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** Returns the text, or its beginning and an ellipsis if it is wider than `width`. */
export function truncate(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > width - 1) break;
    kept += character;
  }
  return width <= 0 ? '' : `${kept.trimEnd()}…`;
}

/** Wraps a text at spaces. A longer word has a line of its own, and is not cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** Returns the columns that the widest of some rows takes when they are laid out, escape sequences not counted. */
export function widthOfRows(rows: readonly (readonly Cell[])[]): number {
  const plain = rows.map((row) => row.map(textOf));
  return layOut(plain, '').reduce((widest, line) => Math.max(widest, widthOf(line)), 0);
}

/** Returns a cell's text without its paint. */
export function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}
