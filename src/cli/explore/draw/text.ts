/** Fits text into columns of a terminal: wide characters take two, combining marks none. The files beside this one draw with it. */
import stringWidth from 'string-width';

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Counts the columns of a text without escape sequences. */
export function columnsOf(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text);
}

/** Cuts a text to at most `width` columns, with an ellipsis where something is left out. No character is cut in two. */
export function cut(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    used += columnsOf(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Cuts a text at its beginning, so that its end stays: of a path the name. */
export function cutStart(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  if (width <= 0) return '';
  const segments = Array.from(segmenter.segment(text), ({ segment }) => segment);
  let kept = '';
  let used = 0;
  for (const segment of segments.reverse()) {
    used += columnsOf(segment);
    if (used > width - 1) break;
    kept = segment + kept;
  }
  return `…${kept}`;
}

/** Cuts a text, or fills it up with spaces, to exactly `width` columns. */
export function fit(text: string, width: number): string {
  const short = cut(text, width);
  return short + ' '.repeat(Math.max(0, width - columnsOf(short)));
}

/** Fits a text to the right. */
export function fitRight(text: string, width: number): string {
  const short = cut(text, width);
  return ' '.repeat(Math.max(0, width - columnsOf(short))) + short;
}

/** Breaks a text into lines of at most `width` columns, at spaces where that is possible. */
export function broken(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of text.split(/(?<= )/)) {
    if (used > 0 && used + columnsOf(word.trimEnd()) > width) {
      lines.push(line);
      [line, used] = ['', 0];
    }
    for (const { segment } of columnsOf(word) > width ? segmenter.segment(word) : [{ segment: word }]) {
      if (used + columnsOf(segment.trimEnd()) > width) {
        lines.push(line);
        [line, used] = ['', 0];
      }
      line += segment;
      used += columnsOf(segment);
    }
  }
  return [...lines, line];
}

/** Writes a number and what it counts: `1 file`, `1,200 files`. */
export function countOf(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
