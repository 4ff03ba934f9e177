/**
 * Reads the header of an installed package, in which rpm keeps what it knows of it (docs/manual/format_header.md of rpm). `rpm.ts` calls
 * it for every package, whichever of rpm's databases it is from.
 */
import { type ByteString, readByteString, ascii, noBytes } from '../../bytes/bytes.ts';

/** What the header of an installed package says. */
export interface RpmHeader {
  readonly name: ByteString;
  /** "version-release", preceded by "epoch:" where the package has one. */
  readonly version: ByteString;
  readonly arch: ByteString | null;
  /** The file name of the source package: "bash-5.2-1.src.rpm". */
  readonly source: ByteString | null;
  readonly licence: ByteString | null;
  /** The vendor, or else the packager. */
  readonly supplier: ByteString | null;
  /** Absolute names of files and directories. Those that rpm did not install are left out. */
  readonly files: readonly ByteString[];
  /** The times of the entries of its changelog, or else that of its build, in seconds since 1970. */
  readonly changes: readonly number[];
}

/** Tags of entries (include/rpm/rpmtag.h). */
const tags = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  buildTime: 1006,
  vendor: 1011,
  license: 1014,
  packager: 1015,
  arch: 1022,
  /** RPMTAG_OLDFILENAMES: whole names, as before rpm 4. */
  oldNames: 1027,
  states: 1029,
  sourceRpm: 1044,
  changelogTime: 1080,
  directoryIndexes: 1116,
  baseNames: 1117,
  directories: 1118,
} as const;

/** States of files (rpmfileState): replaced by a file of another package, or of another architecture (color). */
const replaced = 1;
const wrongColour = 4;

interface Entry {
  readonly offset: number;
  readonly count: number;
}

/**
 * Reads a header as rpm's databases store it: the number of entries and the length of the data (big endian, 32 bits), the entries
 * (tag, type, offset, count), the data. Null for a damaged header, and for one without a name.
 */
export function readRpmHeader(blob: Uint8Array): RpmHeader | null {
  if (blob.length < 8) return null;
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const entries = view.getUint32(0);
  const start = 8 + 16 * entries;
  if (start + view.getUint32(4) > blob.length) return null;
  const data = blob.subarray(start, start + view.getUint32(4));
  const byTag = new Map<number, Entry>();
  for (let i = 0; i < entries; i++) {
    const at = 8 + 16 * i;
    byTag.set(view.getUint32(at), { offset: view.getUint32(at + 8), count: view.getUint32(at + 12) });
  }
  const strings = (tag: number): readonly ByteString[] => readStrings(data, byTag.get(tag));
  const [name] = strings(tags.name);
  if (name === undefined || name === '') return null;
  const [epoch] = readNumbers(data, byTag.get(tags.epoch));
  const version = ascii`${strings(tags.version)[0] ?? noBytes}-${strings(tags.release)[0] ?? noBytes}`;
  return {
    name,
    version: epoch === undefined ? version : ascii`${epoch}:${version}`,
    arch: strings(tags.arch)[0] ?? null,
    source: strings(tags.sourceRpm)[0] ?? null,
    // Texts without translations, or with: the first is in English.
    licence: strings(tags.license)[0] ?? null,
    supplier: strings(tags.vendor)[0] ?? strings(tags.packager)[0] ?? null,
    files: readFiles(data, byTag, strings),
    changes: readNumbers(data, byTag.get(tags.changelogTime) ?? byTag.get(tags.buildTime)),
  };
}

function readFiles(
  data: Uint8Array,
  byTag: ReadonlyMap<number, Entry>,
  strings: (tag: number) => readonly ByteString[],
): readonly ByteString[] {
  const directories = strings(tags.directories);
  const indexes = readNumbers(data, byTag.get(tags.directoryIndexes));
  const names = strings(tags.baseNames).map((base, i) => {
    const directory = directories[indexes[i] ?? -1];
    return directory === undefined ? noBytes : ascii`${directory}${base}`;
  });
  const states = byTag.get(tags.states);
  return [...strings(tags.oldNames), ...names].filter((name, i) => {
    const state = states === undefined || i >= states.count ? 0 : data[states.offset + i];
    return name !== '' && state !== replaced && state !== wrongColour;
  });
}

/** Returns the strings of an entry, which end with NUL; fewer where the data ends early. */
function readStrings(data: Uint8Array, entry: Entry | undefined): readonly ByteString[] {
  const found: ByteString[] = [];
  let at = entry?.offset ?? 0;
  for (let i = 0; i < (entry?.count ?? 0); i++) {
    const end = data.indexOf(0, at);
    if (end < 0) break;
    found.push(readByteString(data, at, end));
    at = end + 1;
  }
  return found;
}

function readNumbers(data: Uint8Array, entry: Entry | undefined): readonly number[] {
  if (entry === undefined || entry.offset + 4 * entry.count > data.length) return [];
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return Array.from({ length: entry.count }, (_, i) => view.getUint32(entry.offset + 4 * i));
}
