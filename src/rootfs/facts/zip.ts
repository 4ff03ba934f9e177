/**
 * Reads the table of contents of ZIP files, and single members (APPNOTE.TXT of PKWARE; its sections are named below). `java-archive.ts`
 * reads archives of Java with it. Nothing of a damaged or hostile file is believed: every offset is checked against the bytes that are there.
 */
import { type ByteString, readByteString } from '../../bytes/bytes.ts';
import { inflateRaw } from '../../codec/inflate-raw.ts';
import { KiB } from '../../units.ts';

/** The parts of a file that were kept. */
export interface KeptBytes {
  readonly size: number;
  /** Returns these bytes; null where not all of them were kept. */
  get(start: number, length: number): Uint8Array | null;
}

/** A member as the table of contents states it. */
export interface ZipMember {
  readonly name: ByteString;
  /** 0: stored; 8: deflated. */
  readonly method: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Of its local header. */
  readonly offset: number;
}

/** The most members that are read of one file. */
const maxMembers = 500_000;
/** The longest comment behind the end record, in bytes. */
const longestComment = 64 * KiB;

/** Signatures (4.3.7, 4.3.12, 4.3.16, 4.3.14, 4.3.15). */
const localHead = 0x04034b50;
const tableRow = 0x02014b50;
const endRecord = 0x06054b50;
const wideEndRecord = 0x06064b50;
const wideLocator = 0x07064b50;
const localBytes = 30;
const rowBytes = 46;
const endBytes = 22;
const locatorBytes = 20;

/** Where a table of contents lies. */
interface Table {
  readonly offset: number;
  readonly length: number;
  /** What must be added to every offset, since something was put before the archive: a script that starts it. */
  readonly shift: number;
}

/** Returns the members of a file, in the order of its table; null for a file that is not a ZIP file, or whose table was not kept. */
export function readZip(file: KeptBytes): readonly ZipMember[] | null {
  const table = findTable(file);
  const bytes = table === null ? null : file.get(table.offset, table.length);
  if (table === null || bytes === null) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const members: ZipMember[] = [];
  for (let at = 0; at + rowBytes <= bytes.length && members.length < maxMembers; ) {
    if (view.getUint32(at, true) !== tableRow) break;
    const nameEnd = at + rowBytes + view.getUint16(at + 28, true);
    const end = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (end > bytes.length) break;
    members.push({
      name: readByteString(bytes, at + rowBytes, nameEnd),
      method: view.getUint16(at + 10, true),
      packedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true) + table.shift,
    });
    at = end;
  }
  return members;
}

/** Finds the last end record, whose comment reaches the end of the file. */
function findTable(file: KeptBytes): Table | null {
  const start = Math.max(0, file.size - endBytes - longestComment);
  const bytes = file.get(start, file.size - start);
  if (bytes === null) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = bytes.length - endBytes; at >= 0; at--) {
    if (view.getUint32(at, true) !== endRecord) continue;
    if (at + endBytes + view.getUint16(at + 20, true) !== bytes.length) continue;
    const found = { length: view.getUint32(at + 12, true), offset: view.getUint32(at + 16, true) };
    return placeTable(file, start + at, found) ?? wideTable(file, start + at);
  }
  return null;
}

/** Returns the table before an end record that is at `end`; null where its numbers lead to no table, as where they stand in the wide record. */
function placeTable(
  file: KeptBytes,
  end: number,
  { length, offset }: { readonly length: number; readonly offset: number },
): Table | null {
  const place = end - length;
  const head = place < offset || length < rowBytes ? null : file.get(place, 4);
  if (head === null || new DataView(head.buffer, head.byteOffset).getUint32(0, true) !== tableRow)
    return null;
  return { offset: place, length, shift: place - offset };
}

/** Returns the table of a file in the wide format (4.3.14), which archives with more than 65,535 members have. */
function wideTable(file: KeptBytes, end: number): Table | null {
  const locator = file.get(end - locatorBytes, locatorBytes);
  if (locator === null) return null;
  const seen = new DataView(locator.buffer, locator.byteOffset);
  if (seen.getUint32(0, true) !== wideLocator) return null;
  const stated = Number(seen.getBigUint64(8, true));
  // Its place is stated as without what was put before the archive. The usual record has 56 bytes.
  for (const at of [stated, end - locatorBytes - 56]) {
    const record = file.get(at, 56);
    if (record === null) continue;
    const view = new DataView(record.buffer, record.byteOffset);
    if (view.getUint32(0, true) !== wideEndRecord) continue;
    const length = Number(view.getBigUint64(40, true));
    return placeTable(file, at, { length, offset: Number(view.getBigUint64(48, true)) });
  }
  return null;
}

/** Returns the contents of a member; null where they were not kept, are damaged, or have more than `most` bytes. */
export function readMember(file: KeptBytes, member: ZipMember, most: number): Uint8Array | null {
  const head = file.get(member.offset, localBytes);
  if (head === null || member.bytes > most) return null;
  const view = new DataView(head.buffer, head.byteOffset);
  if (view.getUint32(0, true) !== localHead) return null;
  const start = member.offset + localBytes + view.getUint16(26, true) + view.getUint16(28, true);
  const packed = file.get(start, member.packedBytes);
  if (packed === null) return null;
  if (member.method === 0) return packed.length > most ? null : packed;
  return member.method === 8 ? inflateRaw(packed, Math.max(1, most)) : null;
}

/** Shows bytes that are all there as a file of which all was kept. */
export function allKept(bytes: Uint8Array): KeptBytes {
  return {
    size: bytes.length,
    get: (start, length) =>
      start >= 0 && length >= 0 && start + length <= bytes.length
        ? bytes.subarray(start, start + length)
        : null,
  };
}
