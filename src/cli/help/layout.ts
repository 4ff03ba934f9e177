/** Lays out help in the width of a terminal: paragraphs, lists of two columns, command lines. Pure; the other files of help call it. */

import { wrap } from '../../report/table.ts';

/** What help looks at of the stream that it is written to. */
export interface Terminal {
  readonly columns?: number;
}

/** Wider lines are hard to read. Narrower terminals wrap by themselves. */
const [narrowest, usual, widest] = [40, 80, 100];

/** Returns the width of help: that of the terminal, within reason; else 80. */
export function widthOfHelp({ columns = usual }: Terminal): number {
  return Math.max(narrowest, Math.min(columns, widest));
}

/** Wraps a text behind an indentation. */
export function paragraph(text: string, width: number, indent = ''): string[] {
  return wrap(text, width - indent.length).map((line) => indent + line);
}

/** A name and what it means. */
export type Entry = readonly [name: string, meaning: string];

const indent = '  ';

/** Returns the width of the column of names: that of the widest which leaves room for what they mean. */
export function columnOf(entries: readonly Entry[], width: number): number {
  const most = Math.min(30, Math.floor(width * 0.4));
  return Math.max(0, ...entries.map(([name]) => name.length).filter((length) => length <= most));
}

/** Lays out entries in two columns. What a longer name means begins on the next line. */
export function twoColumns(
  entries: readonly Entry[],
  width: number,
  column = columnOf(entries, width),
): string[] {
  const gap = `${indent}${' '.repeat(column)}  `;
  return entries.flatMap(([name, meaning]) => {
    const [first = '', ...rest] = wrap(meaning, Math.max(20, width - gap.length));
    const more = rest.map((line) => gap + line);
    return name.length > column
      ? [indent + name, gap + first, ...more]
      : [`${indent}${name.padEnd(column)}  ${first}`, ...more];
  });
}

/**
 * Lays out a command line. One that is too long goes on in the next line, behind a backslash, so that it can be pasted; an option
 * stays with its value, and what is quoted stays whole.
 */
export function commandLine(line: string, width: number): string[] {
  const room = width - indent.length;
  if (line.length <= room) return [indent + line];
  const lines: string[] = [];
  let current = '';
  for (const part of partsOf(line)) {
    if (current !== '' && current.length + 1 + part.length > room - 2) {
      lines.push(current);
      current = `${indent}${part}`;
    } else current += current === '' ? part : ` ${part}`;
  }
  lines.push(current);
  return lines.map((each, i) => `${indent}${each}${i < lines.length - 1 ? ' \\' : ''}`);
}

/** Cuts a command line where it may be broken. */
function partsOf(line: string): string[] {
  const words = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  const parts: string[] = [];
  for (const [i, word] of words.entries()) {
    const isValue = /^--?[a-z]/.test(words[i - 1] ?? '') && !word.startsWith('-');
    if (isValue) parts.push(`${parts.pop() ?? ''} ${word}`);
    else parts.push(word);
  }
  return parts;
}
