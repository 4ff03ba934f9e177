/**
 * Reads the class path in the manifest of an archive of Java: other archives that belong to it. The collector of facts shows it the
 * beginnings of archives.
 */
import { ascii, type ByteString, noBytes, readByteString } from '../../bytes/bytes.ts';
import { inflateRaw } from '../../codec/inflate-raw.ts';
import { KiB, MiB } from '../../units.ts';

/** The bytes at the start of an archive in which its manifest is looked for: tools write it first. */
export const archiveHead = 64 * KiB;

export const archive = /\.(?:jar|war|ear)$/;

/** The most bytes of a manifest that are unpacked: signed ones list every class. */
const largestManifest = 4 * MiB;

/** The bytes at the start of a manifest in which the class path is looked for: its main section comes first. */
const manifestHead = 64 * KiB;

/** The most archives that are taken from one manifest, and the longest name of one, in bytes. */
const maxNames = 1000;
const longest = 256;

/** The head of a member of a ZIP file (APPNOTE 4.3.7): its signature, and its length without name and extra field. */
const signature = 0x04034b50;
const headBytes = 30;

/** Returns the archives of a class path, relative to the directory of the archive: "./lib/a.jar"; empty for none. */
export function classPathIn(head: Uint8Array): readonly ByteString[] {
  const manifest = manifestIn(head);
  if (manifest === null) return [];
  // Lines have 72 bytes at most: longer ones go on behind a space (JAR File Specification, "Name-Value pairs").
  const text = readByteString(manifest.subarray(0, manifestHead)).replaceAll(/\r?\n /g, '');
  const [, list = noBytes] = text.match(/^Class-Path:([^\r\n]*)/m) ?? [];
  return list
    .split(' ')
    .filter((name) => name !== '' && name.length <= longest && !name.includes(':'))
    .slice(0, maxNames)
    .map((name) => (name.startsWith('/') ? name : ascii`./${name}`));
}

/** Returns the manifest in the beginning of an archive, as far as it is there; null for none. */
function manifestIn(head: Uint8Array): Uint8Array | null {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  for (let at = 0; at + headBytes <= head.length && view.getUint32(at, true) === signature; ) {
    const method = view.getUint16(at + 8, true);
    const size = view.getUint32(at + 18, true);
    const nameEnd = at + headBytes + view.getUint16(at + 26, true);
    const start = nameEnd + view.getUint16(at + 28, true);
    if (readByteString(head, at + headBytes, nameEnd) === 'META-INF/MANIFEST.MF') {
      if (method === 0) return head.subarray(start, start + size);
      return method === 8 ? inflateRaw(head.subarray(start), largestManifest) : null;
    }
    // A size of 0 may stand behind the data (4.4.4, bit 3). Directories have none.
    if (size === 0 && method !== 0) return null;
    at = start + size;
  }
  return null;
}
