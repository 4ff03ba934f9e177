/**
 * Templates as docker, podman and skopeo take them with --format, in the small part that people use: `{{.Field}}`, `{{.A.B}}`,
 * `{{json .Field}}`, `table` with a heading. The commands that look into images render by them.
 */
import { OcislimError } from '../../errors.ts';
import { escapeText, safeJsonText } from '../escape.ts';

/** A value that a template may name. Fields are looked up without regard to case. */
export type Fields = { readonly [name: string]: unknown };

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly asJson: boolean };

export interface Template {
  readonly pieces: readonly Piece[];
  /** Whether a line of headings comes first, and columns are aligned. */
  readonly isTable: boolean;
}

const action = /\{\{-?\s*(?:(json)\s+)?\.((?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)?)\s*-?\}\}/y;

/** Reads a template. `\t` and `\n` stand for a tab and a line end, as in docker. @throws USAGE for what is not supported */
export function parseTemplate(text: string): Template {
  const isTable = /^table\s/.test(text);
  const source = (isTable ? text.slice(6).trimStart() : text).replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const pieces: Piece[] = [];
  let at = 0;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    const end = open < 0 ? source.length : open;
    if (end > at) pieces.push({ kind: 'text', text: source.slice(at, end) });
    if (open < 0) break;
    action.lastIndex = open;
    const match = action.exec(source);
    if (match === null) throw unsupported(source.slice(open));
    const [whole, json, path = ''] = match;
    pieces.push({ kind: 'field', path: path === '' ? [] : path.split('.'), asJson: json !== undefined });
    at = open + whole.length;
  }
  return { pieces, isTable };
}

function unsupported(rest: string): OcislimError {
  const close = rest.indexOf('}}');
  const shown = close < 0 ? rest.slice(0, 40) : rest.slice(0, close + 2);
  return new OcislimError('USAGE', `--format: the template has ${JSON.stringify(shown)}`, {
    advice: 'Templates know {{.Field}}, {{.A.B}} and {{json .Field}}; for more, use --format json and jq.',
  });
}

/** Returns the headings of a template's columns: `CREATED BY` for `CreatedBy`. */
export function headingsOf({ pieces }: Template): string {
  return pieces
    .map((piece) =>
      piece.kind === 'text'
        ? piece.text
        : (piece.path.at(-1) ?? '').replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase(),
    )
    .join('');
}

/**
 * Fills in a template. Values come out escaped: a text as one harmless line, a list as Go prints it, `[a b]`.
 * @throws USAGE for a field that there is not, with those that there are
 */
export function fillIn({ pieces }: Template, fields: Fields): string {
  return pieces
    .map((piece) => {
      if (piece.kind === 'text') return piece.text;
      const value = valueAt(piece.path, fields);
      return piece.asJson ? safeJsonText(JSON.stringify(value ?? null)) : shown(value);
    })
    .join('');
}

function valueAt(path: readonly string[], fields: Fields): unknown {
  let value: unknown = fields;
  for (const [i, name] of path.entries()) {
    if (value === null || value === undefined) return null;
    const key = typeof value === 'object' ? keyOf(value, name) : undefined;
    if (key !== undefined) value = (value as Fields)[key];
    // Only the outermost names are ours: what a config lacks is empty, as in Go.
    else if (i > 0) return null;
    else throw noField(path, fields);
  }
  return value;
}

function keyOf(value: object, name: string): string | undefined {
  const keys = Object.keys(value);
  return keys.find((key) => key === name) ?? keys.find((key) => key.toLowerCase() === name.toLowerCase());
}

function noField(path: readonly string[], fields: Fields): OcislimError {
  const names = Object.keys(fields).map((name) => `.${name}`);
  return new OcislimError('USAGE', `--format: there is no field .${path.join('.')}`, {
    advice: `Fields: ${names.join(', ')}.`,
  });
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`;
  if (typeof value === 'object' && !isNumber(value)) {
    const pairs = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `map[${pairs.map(([key, member]) => `${escapeText(key)}:${shown(member)}`).join(' ')}]`;
  }
  return escapeText(typeof value === 'string' ? value : JSON.stringify(value));
}

/** ECMAScript's "JSON.parse source text access": large numbers of documents are such objects. */
const { isRawJSON } = JSON as unknown as { readonly isRawJSON: (value: unknown) => boolean };

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || isRawJSON(value);
}
