/**
 * Byte strings: names as images, traces and package databases hold them. This room makes and takes apart names and paths; it
 * does not know tars, filesystems, or where a name comes from.
 */

/**
 * A name as bytes. Names in images are not text: a byte string holds one byte in each UTF-16 unit (0–255), so that it works
 * as a key and sorts bytewise, whatever its encoding. Only the functions of this room make one; a piece of one is one too.
 */
export type ByteString = Pieces & string;

declare const brand: unique symbol;

/** The methods of a string whose results hold units of the string alone. */
interface Pieces {
  readonly [brand]: 'ByteString';
  readonly [index: number]: ByteString;
  at(index: number): ByteString | undefined;
  match(pattern: RegExp): ByteMatch | null;
  matchAll(pattern: RegExp): IterableIterator<ByteMatch>;
  replace(what: string | RegExp, by: ByteString | ''): ByteString;
  replaceAll(what: string | RegExp, by: ByteString | ''): ByteString;
  slice(start?: number, end?: number): ByteString;
  split(separator: string | RegExp, limit?: number): ByteString[];
  trim(): ByteString;
  trimStart(): ByteString;
  trimEnd(): ByteString;
  [Symbol.iterator](): StringIterator<ByteString>;
}

/** A match in a byte string: the matched part, then its groups. */
export interface ByteMatch extends Array<ByteString> {
  readonly index: number;
  readonly groups?: Readonly<Record<string, ByteString>>;
}

/** The byte string of no bytes. */
export const noBytes = '' as ByteString;

/** Spells a byte string in a source file: its literal parts are ASCII, where a character is a byte. */
export function ascii(parts: TemplateStringsArray, ...values: readonly (ByteString | number)[]): ByteString {
  let text = parts[0] as string;
  for (let i = 0; i < values.length; i++) text += `${values[i]}${parts[i + 1]}`;
  return text as ByteString;
}

/** Spells several byte strings in a source file, in ASCII. */
export function asciiList(...names: readonly string[]): readonly ByteString[] {
  return names as readonly ByteString[];
}

/** Takes back a byte string that went through JSON. @throws RangeError on a unit that is not a byte */
export function asByteString(text: string): ByteString {
  // oxlint-disable-next-line no-control-regex
  if (/[^\x00-\xff]/.test(text)) throw new RangeError(`not a byte string: ${JSON.stringify(text)}`);
  return text as ByteString;
}

/** Joins byte strings with ASCII text between them. */
export function joinBytes(list: readonly ByteString[], separator: string): ByteString {
  return list.join(separator) as ByteString;
}

/** Reads bytes as a byte string. */
export function readByteString(bytes: Uint8Array, start = 0, end = bytes.length): ByteString {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1', start, end) as ByteString;
}

/** Reads a field up to its first NUL. */
export function readField(block: Uint8Array, offset: number, length: number): ByteString {
  let end = offset;
  while (end < offset + length && block[end] !== 0) end++;
  return end === offset ? noBytes : readByteString(block, offset, end);
}

/** Returns the bytes of a byte string. */
export function bytesOf(text: ByteString): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Encodes a text in UTF-8, which is what a name in JSON or on a command line stands for. */
export function utf8Bytes(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1') as ByteString;
}

/** Decodes a byte string as UTF-8. Bytes that are not UTF-8 become U+FFFD: the text is for people, not a key. */
export function utf8Text(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Characters of UTF-8 (RFC 3629: no overlong forms, no surrogates), or one byte that belongs to none. */
const characters =
  // oxlint-disable-next-line no-control-regex
  /[\x00-\x7f]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

/**
 * Decodes a name for a person: characters of UTF-8 as `escape` writes them, every other byte as `\xNN`. Different names
 * give different texts if `escape` is injective and doubles the backslash.
 */
export function decodeForDisplay(name: ByteString, escape: (text: string) => string): string {
  return name.replace(characters, (piece) =>
    piece.length === 1 && piece >= '\x80'
      ? `\\x${piece.charCodeAt(0).toString(16)}`
      : escape(Buffer.from(piece, 'latin1').toString('utf8')),
  );
}
