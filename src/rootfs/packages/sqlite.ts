/**
 * Reads tables of SQLite 3 files (sqlite.org/fileformat2.html), in which rpm keeps its packages since 4.16. `rpm.ts` calls it for
 * a file `rpmdb.sqlite`.
 */
import { type ByteString, readByteString } from '../../bytes/bytes.ts';
import { Damage } from './damage.ts';

/** The value of a column. Text and blobs are bytes. Integers above 2^53 lose their last digits. */
export type SqliteValue = null | number | Uint8Array;

const magic = 'SQLite format 3\0';
/** Types of pages: interior and leaf pages of the b-tree of a table. */
const interior = 5;
const leaf = 13;
/** The deepest tree that SQLite itself reads (BTCURSOR_MAX_DEPTH). */
const deepest = 20;
/** The header of the file, at the beginning of the first page. */
const fileHeaderBytes = 100;

/**
 * One SQLite file. It reads the b-trees of tables with their overflow pages, but no indexes, no tables WITHOUT ROWID, and no
 * write-ahead log: it sees what was checkpointed. It reads every page at most once in all, so that work is bounded by the size of
 * the file, whatever is in it.
 */
export class SqliteFile {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #pageSize: number;
  /** Bytes of a page, less what extensions have reserved at its end. */
  readonly #usable: number;
  /** The pages that were read. */
  readonly #seen: Uint8Array;

  /** Reads the header of the database. @throws Damage for a file of another format */
  constructor(bytes: Uint8Array) {
    if (bytes.length < 512 || readByteString(bytes, 0, 16) !== magic)
      throw new Damage('it is not an SQLite database');
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const size = this.#view.getUint16(16);
    this.#pageSize = size === 1 ? 65_536 : size;
    this.#usable = this.#pageSize - (bytes[20] as number);
    if (this.#pageSize < 512 || (this.#pageSize & (this.#pageSize - 1)) !== 0 || this.#usable < 480)
      throw new Damage('its pages have an impossible size');
    this.#seen = new Uint8Array(Math.floor(bytes.length / this.#pageSize) + 1);
  }

  /** Yields the rows of a table in the order of their row numbers. Without that table, yields none. @throws Damage */
  *rows(table: string): Generator<readonly SqliteValue[]> {
    // The schema is a table at the first page: type, name, table, root page, SQL.
    for (const [type, name, , root] of this.#tree(1, 0))
      if (text(type) === 'table' && text(name) === table && typeof root === 'number') {
        yield* this.#tree(root, 0);
        return;
      }
  }

  *#tree(page: number, depth: number): Generator<readonly SqliteValue[]> {
    if (depth > deepest) throw new Damage('a table is too deep');
    const start = this.#enter(page);
    // The header of the file precedes the head of the first page. Offsets count from the start of the page all the same.
    const head = page === 1 ? start + fileHeaderBytes : start;
    const kind = this.#bytes[head];
    if (kind !== interior && kind !== leaf) throw new Damage('a page does not belong to a table');
    const cells = this.#view.getUint16(head + 3);
    const pointers = head + (kind === leaf ? 8 : 12);
    const end = start + this.#usable;
    if (pointers + 2 * cells > end) throw new Damage('a page has more cells than bytes');
    // Cells of a sound page do not overlap. Without this check, a page of one cell could yield it 32,000 times.
    let left = this.#usable;
    for (let i = 0; i < cells; i++) {
      const cell = start + this.#view.getUint16(pointers + 2 * i);
      if (cell + 4 > end) throw new Damage('a cell is not in its page');
      if (kind === leaf) {
        const { row, bytes } = this.#record(cell, end);
        left -= bytes;
        if (left < 0) throw new Damage('the rows of a page overlap');
        yield row;
      } else yield* this.#tree(this.#view.getUint32(cell), depth + 1);
    }
    if (kind === interior) yield* this.#tree(this.#view.getUint32(head + 8), depth + 1);
  }

  /** Returns the offset of a page, once. @throws Damage when it is entered again */
  #enter(page: number): number {
    const start = (page - 1) * this.#pageSize;
    if (page < 1 || start + this.#pageSize > this.#bytes.length)
      throw new Damage('a page is not in the file');
    if (this.#seen[page] !== 0) throw new Damage('a page is used twice');
    this.#seen[page] = 1;
    return start;
  }

  /** Reads the row of a leaf cell. `bytes` is its size within the page. */
  #record(cell: number, end: number): { readonly row: readonly SqliteValue[]; readonly bytes: number } {
    const [size, afterSize] = varint(this.#bytes, cell, end);
    const [, body] = varint(this.#bytes, afterSize, end);
    const local = this.#localBytes(size);
    return { row: readRecord(this.#payload(body, local, size, end)), bytes: body - cell + local };
  }

  /** Returns how many bytes of a row of this size are in its own page (section 1.6 of the format). */
  #localBytes(size: number): number {
    const most = this.#usable - 35;
    const least = Math.floor(((this.#usable - 12) * 32) / 255) - 23;
    const wanted = least + ((size - least) % (this.#usable - 4));
    return size <= most ? size : wanted <= most ? wanted : least;
  }

  /** Reads the bytes of a row. What exceeds its page is in a chain of overflow pages, which begin with the number of the next. */
  #payload(body: number, local: number, size: number, end: number): Uint8Array {
    if (size > this.#bytes.length) throw new Damage('a row is larger than the file');
    const room = this.#usable - 4;
    if (body + local + (local < size ? 4 : 0) > end) throw new Damage('a row is not in its page');
    const first = this.#bytes.subarray(body, body + local);
    if (local === size) return first;
    // The pieces are joined at the end, so that a row that only claims to be large allocates nothing.
    const pieces = [first];
    let next = this.#view.getUint32(body + local);
    for (let left = size - local; left > 0; left -= room) {
      const start = this.#enter(next);
      next = this.#view.getUint32(start);
      pieces.push(this.#bytes.subarray(start + 4, start + 4 + Math.min(left, room)));
    }
    return Buffer.concat(pieces, size);
  }
}

/** Reads the values of a row: a head of serial types, then the values (section 2.1). */
function readRecord(payload: Uint8Array): readonly SqliteValue[] {
  const [headEnd, first] = varint(payload, 0, payload.length);
  if (headEnd > payload.length) throw new Damage('a row has a head larger than itself');
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const values: SqliteValue[] = [];
  let at = headEnd;
  for (let head = first; head < headEnd; ) {
    const [type, next] = varint(payload, head, headEnd);
    head = next;
    const width = widthOf(type);
    if (at + width > payload.length) throw new Damage('a value is not in its row');
    values.push(type >= 12 ? payload.subarray(at, at + width) : readNumber(view, at, type));
    at += width;
  }
  return values;
}

/** Returns the size of a value in bytes, by its serial type. */
function widthOf(type: number): number {
  if (type >= 12) return (type - (type % 2 === 0 ? 12 : 13)) / 2;
  const width = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type];
  if (width === undefined) throw new Damage('a value has an unknown type');
  return width;
}

function readNumber(view: DataView, at: number, type: number): number | null {
  switch (type) {
    case 1:
      return view.getInt8(at);
    case 2:
      return view.getInt16(at);
    case 3:
      return view.getInt8(at) * 0x1_00_00 + view.getUint16(at + 1);
    case 4:
      return view.getInt32(at);
    case 5:
      return view.getInt16(at) * 0x1_00_00_00_00 + view.getUint32(at + 2);
    case 6:
      return Number(view.getBigInt64(at));
    case 7:
      return view.getFloat64(at);
    case 8:
      return 0;
    case 9:
      return 1;
    default:
      return null;
  }
}

/**
 * Reads a number of variable length: seven bits in each byte, the most significant first, and eight in the ninth. Above 2^53 it
 * is not exact, and larger than any file.
 */
function varint(bytes: Uint8Array, from: number, end: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    if (from + i >= end) break;
    const byte = bytes[from + i] as number;
    if (i === 8) return [value * 256 + byte, from + 9];
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, from + i + 1];
  }
  throw new Damage('a number has no end');
}

function text(value: SqliteValue | undefined): ByteString | null {
  return value instanceof Uint8Array ? readByteString(value) : null;
}
