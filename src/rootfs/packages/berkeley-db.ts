/**
 * Reads hash tables of Berkeley DB (dbinc/db_page.h), in which rpm kept its packages before 4.16 (2020). `rpm.ts` calls it for a
 * file `Packages`.
 */
import { Damage } from './damage.ts';

/** DB_HASHMAGIC. */
const hashMagic = 0x00_06_15_61;
/** Types of pages: P_HASH_UNSORTED, P_OVERFLOW, P_HASH. */
const unsortedHashPage = 2;
const overflowPage = 7;
const hashPage = 13;
/** The head of every page. */
const headBytes = 26;

/** Types of items on a hash page: H_KEYDATA, H_OFFPAGE. */
const inlineItem = 1;
const overflowItem = 3;
/** An item that only names its overflow pages: type, three unused bytes, first page, length. */
const overflowItemBytes = 12;

/**
 * Yields the values of a hash table. In which bucket a value is does not matter for reading them all, so that the pages are read
 * in their order. Work is bounded by the size of the file, whatever is in it.
 *
 * @throws Damage
 */
export function* readBerkeleyDb(bytes: Uint8Array): Generator<Uint8Array> {
  const pages = new Pages(bytes);
  for (let page = 1; page < pages.count; page++) {
    const kind = pages.kindOf(page);
    if (kind === hashPage || kind === unsortedHashPage) yield* pages.valuesOf(page);
  }
}

class Pages {
  readonly count: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Whether numbers are little endian, as on the machine that wrote the file. */
  readonly #little: boolean;
  readonly #pageSize: number;
  /** Overflow pages that belong to a value already. */
  readonly #taken: Uint8Array;

  /** Reads the first page. @throws Damage for a file of another format */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length < 512) throw new Damage('it is not in the format of Berkeley DB');
    this.#little = this.#view.getUint32(12, true) === hashMagic;
    if (!this.#little && this.#view.getUint32(12, false) !== hashMagic)
      throw new Damage('it is not in the format of Berkeley DB');
    this.#pageSize = this.#word(20);
    if (this.#pageSize < 512 || this.#pageSize > 65_536 || (this.#pageSize & (this.#pageSize - 1)) !== 0)
      throw new Damage('its pages have an impossible size');
    this.count = Math.floor(bytes.length / this.#pageSize);
    this.#taken = new Uint8Array(this.count);
  }

  kindOf(page: number): number {
    return this.#bytes[page * this.#pageSize + 25] as number;
  }

  /**
   * Yields the values of a hash page. Keys and values take turns. Items fill the page from its end, so that each ends where the
   * one before it begins.
   */
  *valuesOf(page: number): Generator<Uint8Array> {
    const start = page * this.#pageSize;
    const items = this.#half(start + 20);
    if (headBytes + 2 * items > this.#pageSize) throw new Damage('a page has more items than bytes');
    let left = this.#pageSize;
    for (let i = 1; i < items; i += 2) {
      const at = this.#half(start + headBytes + 2 * i);
      const end = this.#half(start + headBytes + 2 * (i - 1));
      if (at >= end || end > this.#pageSize) throw new Damage('an item is not in its page');
      // Items that overlap could be a million times as large as the file.
      left -= end - at;
      if (left < 0) throw new Damage('the items of a page overlap');
      const item = start + at;
      const kind = this.#bytes[item];
      if (kind === inlineItem) yield this.#bytes.subarray(item + 1, start + end);
      else if (kind === overflowItem && end - at >= overflowItemBytes)
        yield this.#collect(this.#word(item + 4), this.#word(item + 8));
    }
  }

  /** Joins a value of several pages. Each overflow page belongs to one value only. */
  #collect(first: number, size: number): Uint8Array {
    const pieces: Uint8Array[] = [];
    let left = size;
    for (let page = first; left > 0; ) {
      if (page === 0 || page >= this.count || this.#taken[page] !== 0) throw new Damage('a value has no end');
      this.#taken[page] = 1;
      if (this.kindOf(page) !== overflowPage) throw new Damage('a value goes on in a page of another type');
      const start = page * this.#pageSize;
      const length = Math.min(this.#half(start + 22), left, this.#pageSize - headBytes);
      if (length === 0) throw new Damage('a value has no end');
      pieces.push(this.#bytes.subarray(start + headBytes, start + headBytes + length));
      left -= length;
      page = this.#word(start + 16);
    }
    return Buffer.concat(pieces);
  }

  #half(at: number): number {
    return this.#view.getUint16(at, this.#little);
  }

  #word(at: number): number {
    return this.#view.getUint32(at, this.#little);
  }
}
