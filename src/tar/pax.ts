/**
 * Reads and writes PAX records, which are the bodies of extended headers. `extensions.ts`, `sparse.ts` and `head.ts` call it.
 */
import { OcislimError } from '../errors.ts';
import { type ByteString, bytesOf, readByteString, ascii, joinBytes } from '../bytes/bytes.ts';

/** Extended header records in their order; a later record of a name wins (POSIX pax, "pax Extended Header"). */
export type PaxRecords = readonly (readonly [key: ByteString, value: ByteString])[];

/** Reads the records of an extended header. @throws TAR_INVALID on anything but `LENGTH KEY=VALUE\n`, as Go's archive/tar does */
export function parsePax(body: Uint8Array): PaxRecords {
  const text = readByteString(body);
  const records: [ByteString, ByteString][] = [];
  let at = 0;
  while (at < text.length) {
    const space = text.indexOf(' ', at);
    const digits = space < 0 ? '' : text.slice(at, space);
    const length = /^0{0,9}[1-9][0-9]{0,8}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = text.indexOf('=', space);
    if (
      length === 0 ||
      end > text.length ||
      text[end - 1] !== '\n' ||
      equals < 0 ||
      equals >= end - 1 ||
      equals === space + 1
    ) {
      throw new OcislimError('TAR_INVALID', 'a tar extended header has a malformed record');
    }
    const key = text.slice(space + 1, equals);
    const value = text.slice(equals + 1, end - 1);
    if (key.includes('\0') || (/^(?:path|linkpath|uname|gname)$/.test(key) && value.includes('\0'))) {
      throw new OcislimError('TAR_INVALID', 'a tar extended header has a NUL in a name');
    }
    records.push([key, value]);
    at = end;
  }
  return records;
}

/** Returns the value that counts. An empty one means "as the plain header says", and gives undefined. */
export function paxValue(records: PaxRecords, key: string): ByteString | undefined {
  const value = records.findLast((record) => record[0] === key)?.[1];
  return value === '' ? undefined : value;
}

/** Writes records as the body of an extended header. */
export function encodePax(records: PaxRecords): Uint8Array {
  return bytesOf(
    joinBytes(
      records.map(([key, value]) => encodeRecord(key, value)),
      '',
    ),
  );
}

function encodeRecord(key: ByteString, value: ByteString): ByteString {
  const rest = ascii` ${key}=${value}\n`;
  // The length counts its own digits.
  let length = rest.length + String(rest.length).length;
  if (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return ascii`${length}${rest}`;
}
