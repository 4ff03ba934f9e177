/** Renders the files of an image as CSV (RFC 4180, with line feeds): a row for each. Spreadsheets read it as text, never as formulas. */
import { displayPath } from '../escape.ts';
import { type Analyzed, fateText, rowsOf, type Scope } from './analyzed.ts';

const columns = ['path', 'type', 'bytes', 'mode', 'uid', 'gid', 'layer', 'state', 'hidden_by', 'reclaimable'];

/** Yields the head, then a line for each row. */
export function* renderCsv({ scanned }: Analyzed, scope: Scope): Generator<string> {
  yield `${columns.join(',')}\n`;
  for (const row of rowsOf(scanned, scope)) {
    const { path, kind, bytes, mode, uid, gid, layer, hiddenBy, lost } = row;
    const numbers = [bytes, mode.toString(8).padStart(4, '0'), uid, gid, layer === 0 ? '' : layer];
    const state = [fateText(row), hiddenBy === 0 ? '' : hiddenBy, lost ? 'yes' : 'no'];
    yield `${[csvText(`/${displayPath(path)}`), kind, ...numbers, ...state].join(',')}\n`;
  }
}

/**
 * Quotes a text for CSV. What a spreadsheet would take for a formula (OWASP, "CSV Injection") gets an apostrophe before it, which it does
 * not show.
 */
export function csvText(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
