/**
 * Finds what a program of Go was built from: the table that its linker writes into every program (package debug/buildinfo). The collector
 * of facts shows it the bytes of ELF files as they stream by.
 */
import { readByteString, utf8Text } from '../../bytes/bytes.ts';
import { KiB, MiB } from '../../units.ts';
import type { Segment } from './elf-header.ts';
import { type FilePart, maxParts } from './file-part.ts';

/** What the table begins with, at a multiple of 16 bytes. */
const magic = Buffer.from('\xff Go buildinf:', 'latin1');
const alignment = 16;
/** The bytes at the end of a piece in which a magic may begin that ends in the next one. */
const longestTail = magic.length - 1;
const headBytes = 32;
/** The most bytes of the table that are read. That of a program with a thousand modules has 150 KiB. */
const largestTable = 2 * MiB;
const longestVersion = KiB;
/** Before and behind the list of modules stand 16 bytes each, by which runtime/debug finds it. */
const frameBytes = 16;
const newline = 10;

/** Flags of the table: numbers are big endian; the texts follow (since Go 1.18), instead of pointers to them. */
const bigEndian = 1;
const inline = 2;

/** What the headers of the program tell, for tables with pointers. */
export interface LoadedFile {
  readonly loads: readonly Segment[];
  /** Returns these bytes of the file; null where not all of them were kept. */
  get(start: number, length: number): Uint8Array | null;
}

/** Takes the bytes of a file in order, in pieces of any size. Holds at most the table. */
export class GoBuildProbe {
  #at = 0;
  #tail: Buffer = Buffer.alloc(0);
  #table: Buffer | null = null;
  #filled = 0;
  #isChecked = false;

  write(chunk: Uint8Array): void {
    if (this.#table !== null) {
      this.#fill(chunk);
      return;
    }
    const start = this.#at - this.#tail.length;
    this.#at += chunk.length;
    // Joining each piece with the end of the one before would cost more than the search.
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const seam = Buffer.concat([this.#tail, bytes.subarray(0, longestTail)]);
    if (seam.includes(magic) || bytes.includes(magic))
      this.#search(Buffer.concat([this.#tail, bytes]), start);
    else if (bytes.length < longestTail) this.#tail = Buffer.from(seam.subarray(-longestTail));
    else this.#tail = Buffer.from(bytes.subarray(-longestTail));
  }

  /** Begins a table at the first place of the magic that may be one; else keeps the end, where a magic may begin. */
  #search(bytes: Buffer, start: number): void {
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
      if ((start + at) % alignment !== 0) continue;
      this.#table = Buffer.alloc(64 * KiB);
      this.#filled = 0;
      this.#isChecked = false;
      this.#at = start + at;
      this.#fill(bytes.subarray(at));
      return;
    }
    this.#tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - longestTail)));
  }

  #fill(chunk: Uint8Array): void {
    const part = chunk.subarray(0, largestTable - this.#filled);
    const needed = this.#filled + part.length;
    let table = this.#table ?? Buffer.alloc(0);
    if (needed > table.length) {
      const grown = Buffer.alloc(Math.min(largestTable, Math.max(needed, 2 * table.length)));
      table.copy(grown, 0, 0, this.#filled);
      this.#table = table = grown;
    }
    table.set(part, this.#filled);
    this.#filled = needed;
    if (this.#isChecked || needed < headBytes + longestVersion) return;
    this.#isChecked = true;
    const kept = table.subarray(0, needed);
    if (mayBeTable(kept)) return;
    // A program that reads such tables has the magic among its texts.
    this.#table = null;
    const start = this.#at;
    this.#at += needed;
    this.#tail = Buffer.alloc(0);
    this.#search(kept.subarray(1), start + 1);
  }

  /** Returns the modules of the program, its own first; empty for a file that Go did not build. */
  finish(file: LoadedFile): readonly FilePart[] {
    const table = this.#table?.subarray(0, this.#filled) ?? null;
    if (table === null || !mayBeTable(table)) return [];
    const texts = isInline(table) ? inlineTexts(table) : pointedTexts(table, file);
    return texts === null ? [] : partsOf(texts);
  }
}

/** The two texts of a table. */
interface Texts {
  /** "go1.22.1", or "devel go1.23-abc". */
  readonly version: string;
  /** Lines of fields that are separated by tabs, with a frame of 16 bytes on both sides. */
  readonly modules: Uint8Array;
}

function isInline(table: Uint8Array): boolean {
  return ((table[15] ?? 0) & inline) !== 0;
}

/** Returns whether bytes behind the magic are those of a table, and not of the text of a program that looks for it. */
function mayBeTable(table: Buffer): boolean {
  if (table.length < headBytes) return false;
  if (!isInline(table)) return table[14] === 4 || table[14] === 8;
  const version = textAt(table, headBytes);
  return version !== null && isVersion(readText(version.bytes));
}

function isVersion(text: string): boolean {
  return text.length <= longestVersion && /^(?:go\d|devel\b)/.test(text);
}

function inlineTexts(table: Buffer): Texts | null {
  const version = textAt(table, headBytes);
  const modules = version === null ? null : textAt(table, version.end);
  if (version === null || modules === null) return null;
  return { version: readText(version.bytes), modules: modules.bytes };
}

/** Returns the bytes behind their length, which is a varint (encoding/binary). */
function textAt(table: Buffer, offset: number): { readonly bytes: Uint8Array; readonly end: number } | null {
  let length = 0;
  let at = offset;
  for (let shift = 1; ; shift *= 128) {
    const byte = table[at++];
    if (byte === undefined || shift > 2 ** 28) return null;
    length += (byte & 127) * shift;
    if (byte < 128) break;
  }
  if (at + length > table.length) return null;
  return { bytes: table.subarray(at, at + length), end: at + length };
}

function readText(bytes: Uint8Array): string {
  return utf8Text(readByteString(bytes));
}

/** Reads the texts of a table before Go 1.18: it has the addresses of their descriptors. */
function pointedTexts(table: Buffer, file: LoadedFile): Texts | null {
  const width = table[14] as number;
  const isBig = ((table[15] ?? 0) & bigEndian) !== 0;
  const number = (bytes: Uint8Array, at: number): number => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return width === 4 ? view.getUint32(at, !isBig) : Number(view.getBigUint64(at, !isBig));
  };
  const text = (address: number): Uint8Array | null => {
    const descriptor = bytesAt(file, address, 2 * width);
    if (descriptor === null) return null;
    const length = number(descriptor, width);
    return length > largestTable ? null : bytesAt(file, number(descriptor, 0), length);
  };
  const version = text(number(table, 16));
  const modules = text(number(table, 16 + width));
  if (version === null || !isVersion(readText(version))) return null;
  return { version: readText(version), modules: modules ?? new Uint8Array(0) };
}

/** Returns the bytes that a program would see at an address. */
function bytesAt(file: LoadedFile, address: number, length: number): Uint8Array | null {
  const load = file.loads.find(
    ({ address: start, length: size }) => address >= start && address + length <= start + size,
  );
  return load === undefined ? null : file.get(load.offset + (address - load.address), length);
}

/** One row of the list: `mod`, `dep` or `=>`. */
interface Row {
  readonly kind: 'mod' | 'dep';
  path: string;
  version: string | null;
}

/** Reads the list of modules (runtime/debug, `BuildInfo.String`). The standard library is one of them. */
function partsOf({ version, modules }: Texts): readonly FilePart[] {
  const isFramed = modules.length > 2 * frameBytes && modules.at(-frameBytes - 1) === newline;
  const rows: Row[] = [];
  for (const line of isFramed ? readText(modules.subarray(frameBytes, -frameBytes)).split('\n') : []) {
    const [kind, path = '', stated = ''] = line.split('\t');
    if (rows.length >= maxParts) break;
    if ((kind === 'mod' || kind === 'dep') && path !== '')
      rows.push({ kind, path, version: versionIn(stated) });
    const last = rows.at(-1);
    if (kind === '=>' && last !== undefined) replaceBy(last, path, stated);
  }
  const part = (name: string, each: string | null, inside: string | null): FilePart => ({
    kind: 'go',
    name,
    version: each,
    inside,
    licences: [],
    supplier: null,
  });
  const [release] = version.replace(/^go/, '').split(' ', 1);
  return [
    ...rows.map(({ kind, path, version: each }) => part(path, each, kind === 'mod' ? null : path)),
    part('stdlib', version.startsWith('go') ? (release ?? null) : version, 'stdlib'),
  ];
}

/** Puts another module in the place of one. That of a folder has no version of its own, and keeps its name. */
function replaceBy(row: Row, path: string, stated: string): void {
  row.version = versionIn(stated);
  if (row.version !== null && path !== '') row.path = path;
}

/** Returns a version; null for "(devel)", which stands for a checkout. */
function versionIn(text: string): string | null {
  return text === '' || text === '(devel)' ? null : text;
}
