import { Damage } from './damage.ts';

const hashMagic = 0x00_06_15_61;
const unsortedHashPage = 2;
const overflowPage = 7;
const hashPage = 13;
const headSize = 26;

/** How an item of a hash page says what it is. */
const inlineItem = 1;
const overflowItem = 3;

/**
 * The values of a hash table of Berkeley DB (db_page.h), as rpm wrote its packages until 2020. Buckets do not matter for reading it all: every
 * page of the table is looked at in turn. Numbers are in the byte order of the machine that wrote it.
 * @throws Damage
 */
export function* readBerkeleyDb(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 512) throw new Damage('it is not in the format of Berkeley DB');
  const little = view.getUint32(12, true) === hashMagic;
  if (!little && view.getUint32(12, false) !== hashMagic)
    throw new Damage('it is not in the format of Berkeley DB');
  const pageSize = view.getUint32(20, little);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0)
    throw new Damage('its pages have an impossible size');
  const pages = Math.floor(bytes.length / pageSize);
  const seen = new Uint8Array(pages);

  /** A value of several pages: each of them belongs to one value only. */
  function collect(first: number, size: number): Uint8Array {
    const pieces: Uint8Array[] = [];
    let left = size;
    for (let page = first; left > 0; ) {
      if (page === 0 || page >= pages || seen[page] !== 0) throw new Damage('a value has no end');
      seen[page] = 1;
      const start = page * pageSize;
      if (bytes[start + 25] !== overflowPage) throw new Damage('a value goes on in no page of values');
      const length = Math.min(view.getUint16(start + 22, little), left, pageSize - headSize);
      if (length === 0) throw new Damage('a value has no end');
      pieces.push(bytes.subarray(start + headSize, start + headSize + length));
      left -= length;
      page = view.getUint32(start + 16, little);
    }
    return Buffer.concat(pieces);
  }

  for (let page = 1; page < pages; page++) {
    const start = page * pageSize;
    const kind = bytes[start + 25];
    if (kind !== hashPage && kind !== unsortedHashPage) continue;
    const items = view.getUint16(start + 20, little);
    if (headSize + 2 * items > pageSize) throw new Damage('a page has more items than bytes');
    // Keys and values take turns. Items fill the page from its end, so that each ends where the one before it begins.
    let left = pageSize;
    for (let i = 1; i < items; i += 2) {
      const at = view.getUint16(start + headSize + 2 * i, little);
      const end = view.getUint16(start + headSize + 2 * (i - 1), little);
      if (at >= end || end > pageSize) throw new Damage('an item is not in its page');
      left -= end - at;
      if (left < 0) throw new Damage('the items of a page overlap');
      const item = start + at;
      if (bytes[item] === inlineItem) yield bytes.subarray(item + 1, start + end);
      else if (bytes[item] === overflowItem && end - at >= 12)
        yield collect(view.getUint32(item + 4, little), view.getUint32(item + 8, little));
    }
  }
}
