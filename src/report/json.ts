/**
 * Renders reports and analyses as JSON, and records of logs as JSON lines. The tables of renderers load it for files that end in `.json`.
 */
import { safeJson } from './escape.ts';
import { KiB } from '../units.ts';

const chunkLength = 64 * KiB;

/**
 * Renders a document, plain data, as JSON text in chunks, since the list of removed paths may be long. An object or array of plain values
 * takes one line. Strings are escaped so that the text can be printed to a terminal.
 */
export function* renderJson(document: object): Generator<string> {
  let chunk = '';
  for (const piece of render(document, '')) {
    chunk += piece;
    if (chunk.length >= chunkLength) {
      yield chunk;
      chunk = '';
    }
  }
  yield `${chunk}\n`;
}

/** Renders a flat record as one line, for logs that machines read. Undefined members are left out. */
export function renderJsonLine(
  record: Readonly<Record<string, string | number | boolean | null | undefined>>,
): string {
  const members = Object.entries(record).flatMap(([key, value]) =>
    value === undefined ? [] : [`${safeJson(key)}:${safeJson(value)}`],
  );
  return `{${members.join(',')}}`;
}

/** A list whose items are made one by one, as they are written: it may have a million. */
export class StreamedList<Item> {
  readonly items: Iterable<Item>;

  constructor(items: Iterable<Item>) {
    this.items = items;
  }
}

function* render(value: unknown, indent: string): Generator<string> {
  if (value instanceof StreamedList) {
    yield* renderStreamed(value.items, indent);
    return;
  }
  if (!isComposite(value)) {
    yield safeJson(value as string | number | boolean | null);
    return;
  }
  const array = Array.isArray(value);
  const members: [string, unknown][] = array
    ? value.map((member): [string, unknown] => ['', member])
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) => [`${safeJson(key)}: `, member]);
  const [open, close] = array ? ['[', ']'] : ['{', '}'];
  if (members.length === 0 || (indent !== '' && !members.some(([, member]) => isComposite(member)))) {
    const pad = array || members.length === 0 ? '' : ' ';
    const flat = members.map(([key, member]) => key + safeJson(member as string | number | boolean | null));
    yield `${open}${pad}${flat.join(', ')}${pad}${close}`;
    return;
  }
  const inner = `${indent}  `;
  let separator = `${open}\n`;
  for (const [key, member] of members) {
    yield `${separator}${inner}${key}`;
    yield* render(member, inner);
    separator = ',\n';
  }
  yield `\n${indent}${close}`;
}

function* renderStreamed(items: Iterable<unknown>, indent: string): Generator<string> {
  let open = '[\n';
  for (const item of items) {
    yield `${open}${indent}  `;
    yield* render(item, `${indent}  `);
    open = ',\n';
  }
  yield open === '[\n' ? '[]' : `\n${indent}]`;
}

function isComposite(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
