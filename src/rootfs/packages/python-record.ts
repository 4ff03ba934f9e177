import { type ByteString, noBytes, ascii } from '../../bytes/bytes.ts';

/**
 * The first field of each row of a CSV file in Python's default dialect: fields in double quotes may hold commas, line ends and
 * doubled quotes. Whatever the file is, something comes out, no longer than it.
 */
export function readRecord(text: ByteString): readonly ByteString[] {
  const names: ByteString[] = [];
  let at = 0;
  while (at < text.length) {
    let name = noBytes;
    if (text[at] === '"') {
      const end = endOfQuotes(text, at + 1);
      name = text.slice(at + 1, end).replaceAll('""', ascii`"`);
      at = end + 1;
    } else {
      const end = firstOf(text, at, ',\r\n');
      name = text.slice(at, end);
      at = end;
    }
    if (name !== '') names.push(name);
    at = endOfRow(text, at);
  }
  return names;
}

/** Where the quote that closes is; the end of the text where none does. */
function endOfQuotes(text: ByteString, from: number): number {
  let at = text.indexOf('"', from);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at < 0 ? text.length : at;
}

function endOfRow(text: ByteString, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '\n' && text[at] !== '\r')
    at = text[at] === '"' ? endOfQuotes(text, at + 1) + 1 : at + 1;
  return at + 1;
}

function firstOf(text: ByteString, from: number, stops: string): number {
  let at = from;
  while (at < text.length && !stops.includes(text[at] as string)) at++;
  return at;
}
