/**
 * Makes text from outside harmless for terminals, CI logs and JSON. Everything that prints names or messages calls it.
 */
import { type ByteString, decodeForDisplay, joinBytes, readByteString, utf8Bytes } from '../bytes/bytes.ts';

/**
 * Characters that must not reach a terminal: controls, invisible characters (bidirectional overrides, joiners, tags, fillers), line
 * separators, and halves of surrogate pairs.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Turns a name or message from outside into one line of harmless text. Unsafe characters become `\n`, `\x1b` or `\u{202e}`, and the
 * first character of what CI services take for a command in a log (`::set-output`, `##vso[`, `##[`) becomes an escape.
 */
export function escapeText(text: string): string {
  return disarm(escapeCharacters(text));
}

/** Escapes text of several lines for a terminal. Line ends and tabs stay. */
export function escapeLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.split('\t').map(escapeText).join('\t'))
    .join('\n');
}

function escapeCharacters(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0) as number;
    return named[character] ?? (code < 0x80 ? `\\x${hex(code)}` : `\\u{${code.toString(16)}}`);
  });
}

/** Disarms the commands of CI logs. GitHub reads `::` at the start of a line, after blanks; GitHub, Azure and TeamCity read `##[` and `##vso[` anywhere. */
function disarm(line: string): string {
  return line.replace(/^( *):(?=:)/, '$1\\x3a').replace(/#(?=#\w*\[)/g, '\\x23');
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** Returns the JSON text of a value, with escapes for all that a terminal or a CI log acts on. It parses to the same value. */
export function safeJson(value: string | number | boolean | null): string {
  return safeJsonText(JSON.stringify(value));
}

/** Escapes a JSON text, or several, one per line, as `safeJson` does: unsafe characters can only stand in strings. */
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
 * Renders a file name for a person. UTF-8 is decoded; a byte that is not UTF-8 shows as `\xff` and a backslash as `\\`, so that no
 * two names look alike; the rest is as `escapeText` has it.
 */
export function displayPath(path: ByteString): string {
  return disarm(decodeForDisplay(path, (text) => escapeCharacters(text.replaceAll('\\', '\\\\'))));
}

/** Escapes of names, as `displayPath` writes them. */
const escapes = /(\\\\|\\x[0-9a-f]{2}|\\u\{[0-9a-f]{1,6}\}|\\[nrt])/;

/**
 * Reads a name that a person typed, or copied from what `displayPath` has rendered: its escapes become what they stand for, and the rest
 * is UTF-8. The inverse of `displayPath`.
 */
export function readDisplayed(text: string): ByteString {
  return joinBytes(
    text.split(escapes).map((piece, i) => (i % 2 === 0 ? utf8Bytes(piece) : unescaped(piece))),
    '',
  );
}

function unescaped(escape: string): ByteString {
  const known = Object.entries(named).find(([, written]) => written === escape)?.[0];
  if (known !== undefined) return utf8Bytes(known);
  if (escape.startsWith('\\x')) return readByteString(Uint8Array.of(Number.parseInt(escape.slice(2), 16)));
  const code = escape.startsWith('\\u') ? Number.parseInt(escape.slice(3, -1), 16) : 0x5c;
  return utf8Bytes(code > 0x10ffff ? escape : String.fromCodePoint(code));
}

/** Returns the fields that name a file in a report: its name if that is UTF-8, otherwise a readable stand-in and the bytes. */
export function pathFields(path: ByteString): { path: string; pathBase64?: string } {
  const text = decode(path);
  if (Buffer.from(text, 'utf8').toString('latin1') === path) return { path: text };
  return { path: displayPath(path), pathBase64: Buffer.from(path, 'latin1').toString('base64') };
}

/** Renders a path of a report as `displayPath` renders its bytes. A stand-in, which comes with `pathBase64`, is rendered already. */
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
