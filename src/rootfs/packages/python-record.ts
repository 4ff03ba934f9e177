import { type ByteString, noBytes, ascii } from '../../bytes/bytes.ts';

/**
 * Returns the first field of each row of a CSV file in the default dialect of Python's module csv: fields in double quotes may
 * hold commas, line breaks and doubled quotes. A damaged file gives other names, but never more bytes than it has.
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

/** Returns the offset of the closing quote; the end of the text if it is missing. */
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
