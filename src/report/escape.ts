import { type ByteString, decodeForDisplay } from '../bytes/bytes.ts';

/**
 * What must not reach a terminal as it is: controls, whatever a terminal does not show (bidirectional overrides, joiners,
 * tags, fillers), line separators and halves of surrogate pairs.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A name or message from outside as one line of harmless text: what is unsafe becomes `\n`, `\x1b` or `\u{202e}`, and
 * what the log readers of CI services take for a command (`::set-output`, `##vso[`, `##[`) loses its first character
 * to an escape.
 */
export function escapeText(text: string): string {
  return disarm(escapeCharacters(text));
}

function escapeCharacters(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0) as number;
    return named[character] ?? (code < 0x80 ? `\\x${hex(code)}` : `\\u{${code.toString(16)}}`);
  });
}

/** GitHub reads `::` at the start of a line, after blanks; it and Azure read `##[` and `##vso[` anywhere; TeamCity likewise. */
function disarm(line: string): string {
  return line.replace(/^( *):(?=:)/, '$1\\x3a').replace(/#(?=#\w*\[)/g, '\\x23');
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** The JSON text of a value whose strings hold nothing that a terminal or a CI log acts on; it parses to the same value. */
export function safeJson(value: string | number | boolean | null): string {
  return safeJsonText(JSON.stringify(value));
}

/** The same for a JSON text, or several on lines of their own: what is escaped can only stand in strings. */
export function safeJsonText(json: string): string {
  return json
    .replace(unsafe, (character) =>
      character === '\n'
        ? character
        : character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
    )
    .replace(/#(?=#\w*\[)/g, '\\u0023');
}

/**
 * A file name for a person: UTF-8 is decoded, bytes that are not UTF-8 show as `\xff`, a backslash as `\\` (so nothing is
 * ambiguous), and the rest as `escapeText` says.
 */
export function displayPath(path: ByteString): string {
  return disarm(decodeForDisplay(path, (text) => escapeCharacters(text.replaceAll('\\', '\\\\'))));
}

/** How a report names a file: the name itself where it is UTF-8, else a readable stand-in and the bytes. */
export function pathFields(path: ByteString): { path: string; pathBase64?: string } {
  const text = decode(path);
  if (Buffer.from(text, 'utf8').toString('latin1') === path) return { path: text };
  return { path: displayPath(path), pathBase64: Buffer.from(path, 'latin1').toString('base64') };
}

/** The path of a report as `displayPath` shows its bytes. A stand-in, which comes with `pathBase64`, is shown already. */
export function shownPath({
  path,
  pathBase64,
}: {
  readonly path: string;
  readonly pathBase64?: string;
}): string {
  return pathBase64 === undefined ? path.replaceAll('\\', '\\\\') : path;
}

function decode(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
