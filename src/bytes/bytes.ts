/**
 * File names are bytes, not text. A byte string holds one byte in each UTF-16 unit (0–255), so that names work as keys
 * and sort bytewise, whatever their encoding.
 */
export type ByteString = string;

export function readByteString(bytes: Uint8Array, start = 0, end = bytes.length): ByteString {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1', start, end);
}

/** The bytes up to the first NUL. */
export function readField(block: Uint8Array, offset: number, length: number): ByteString {
  let end = offset;
  while (end < offset + length && block[end] !== 0) end++;
  return end === offset ? '' : readByteString(block, offset, end);
}

export function bytesOf(text: ByteString): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The bytes of a text in UTF-8, which is how a name in JSON or on a command line is meant. */
export function utf8Bytes(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
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
