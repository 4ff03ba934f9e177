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
