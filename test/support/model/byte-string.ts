/**
 * Names, link targets and values in a tar are bytes. The model keeps them as *byte strings*: one UTF-16 unit per
 * byte (latin1), so that they are usual keys of a Map and nothing is ever decoded.
 */
export type ByteString = string;

/**
 * Returns the bytes of a byte string. Throws a RangeError for a unit above 255, which means that a caller forgot
 * {@link utf8}.
 */
export function bytesOf(text: ByteString): Uint8Array {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) > 0xff) throw new RangeError(`not a byte string: ${JSON.stringify(text)}`);
  }
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** Returns the byte string of bytes. */
export function byteString(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Returns the byte string of the UTF-8 encoding of a string. */
export function utf8(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Returns a byte string as a person can read it: printable ASCII as it is, the rest escaped, long runs abbreviated. */
export function show(text: ByteString): string {
  const short = text.replace(/(.)\1{11,}/gs, (run, unit: string) => `${unit}{${run.length}}`);
  const cut = short.length > 160 ? `${short.slice(0, 150)}…(${text.length} bytes)` : short;
  return `"${cut.replace(/[^\x20-\x7e…]|["\\]/g, escapeUnit)}"`;
}

function escapeUnit(unit: string): string {
  if (unit === '\n') return '\\n';
  if (unit === '"' || unit === '\\') return `\\${unit}`;
  return `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** Joins byte arrays. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
