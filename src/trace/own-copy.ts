import { bytesOf, type ByteString, readByteString } from '../bytes/bytes.ts';

const scratch = Buffer.allocUnsafeSlow(8192);

/** Copies a text, so that it shares no memory with the text that it was cut from. */
export function own(text: ByteString): ByteString {
  if (text.length > scratch.length) return readByteString(bytesOf(text));
  return readByteString(scratch, 0, scratch.write(text, 'latin1'));
}
