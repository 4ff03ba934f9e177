/** Writes a JSON document piece by piece: its lists may be longer than a text can be. Both formats of bills are written by it. */
import { KiB } from '../../units.ts';
import { safeJsonText } from '../escape.ts';

const pieceLength = 64 * KiB;

/** The members of a document, in their order. A list that is made while it is written is a generator. */
export type Members = Readonly<Record<string, unknown>>;

/** Renders a document. Strings are escaped so that the text can be printed to a terminal. Undefined members are left out. */
export function* renderDocument(members: Members): Generator<string> {
  let piece = '';
  for (const part of parts(members)) {
    piece += part;
    if (piece.length < pieceLength) continue;
    yield safeJsonText(piece);
    piece = '';
  }
  yield safeJsonText(piece);
}

function* parts(members: Members): Generator<string> {
  let separator = '{\n';
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) continue;
    yield `${separator}  ${JSON.stringify(name)}: `;
    if (isGenerator(value)) yield* listParts(value);
    else yield indented(value, 2);
    separator = ',\n';
  }
  yield '\n}\n';
}

function* listParts(items: Iterable<unknown>): Generator<string> {
  let separator = '[\n';
  for (const item of items) {
    yield `${separator}    ${indented(item, 4)}`;
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]' : '\n  ]';
}

function indented(value: unknown, spaces: number): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${' '.repeat(spaces)}`);
}

function isGenerator(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && 'next' in value;
}
