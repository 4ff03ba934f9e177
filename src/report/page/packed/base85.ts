/**
 * Bytes as text that needs no escape in a script element: five characters for four bytes, where base64 has five and a third. The
 * alphabet has none of `<`, `&`, quotes and the backslash.
 */

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%()*+-;=>?@^_`{|}~.,';
const base = 85;

/** Bytes of a piece of text, a multiple of four. */
const pieceBytes = 48 * 1024;

/** Encodes bytes in pieces of text, to be written one after the other. */
export function* encode85(bytes: Uint8Array): Generator<string> {
  for (let start = 0; start < bytes.length; start += pieceBytes)
    yield encodePiece(bytes.subarray(start, start + pieceBytes));
}

/** Encodes a piece; the last group of fewer than four bytes has one character more than bytes. */
function encodePiece(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const length = Math.min(4, bytes.length - at);
    let value = 0;
    for (let i = 0; i < 4; i++) value = value * 256 + (bytes[at + i] ?? 0);
    let group = '';
    for (let i = 0; i < 5; i++, value = Math.floor(value / base))
      group = alphabet.charAt(value % base) + group;
    text += group.slice(0, length + 1);
  }
  return text;
}

/** Decodes what `encode85` wrote. */
export function decode85(text: string): Uint8Array<ArrayBuffer> {
  const digits = new Uint8Array(128);
  for (let i = 0; i < base; i++) digits[alphabet.charCodeAt(i)] = i;
  const bytes = new Uint8Array(Math.floor(text.length / 5) * 4 + Math.max(0, (text.length % 5) - 1));
  for (let from = 0, to = 0; from < text.length; from += 5, to += 4) {
    let value = 0;
    // What is missing of the last group counts as the highest digit, so that its bytes are not rounded down.
    for (let i = 0; i < 5; i++)
      value =
        value * base + (from + i < text.length ? (digits[text.charCodeAt(from + i)] as number) : base - 1);
    for (let i = 3; i >= 0; i--, value = Math.floor(value / 256))
      if (to + i < bytes.length) bytes[to + i] = value % 256;
  }
  return bytes;
}
