import { expect, it } from 'vitest';
import { readBerkeleyDb } from '../../../src/rootfs/packages/berkeley-db.ts';
import { SqliteFile } from '../../../src/rootfs/packages/sqlite.ts';

const pageSize = 65_536;

/** How many bytes come out before reading ends; all of them, if nothing stops it. */
function read(values: Iterable<unknown>): { readonly bytes: number; readonly why: unknown } {
  let bytes = 0;
  try {
    for (const value of values) if (value instanceof Uint8Array) bytes += value.length;
  } catch (error) {
    return { bytes, why: (error as Error).message };
  }
  return { bytes, why: null };
}

it('a page of SQLite whose cells are all the same is refused', () => {
  const bytes = new Uint8Array(2 * pageSize);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from('SQLite format 3\0'));
  // 1 stands for 65,536.
  view.setUint16(16, 1);
  const words = ['table', 'Packages', 'Packages'].map((word) => Buffer.from(word));
  bytes[100] = 13;
  view.setUint16(103, 1);
  view.setUint16(108, 1000);
  // The fourth column is the number 2: type 1, one byte.
  const types = [...words.map(({ length }) => 13 + 2 * length), 1].flatMap(varint);
  const row = [types.length + 1, ...types, ...words.flatMap((word) => [...word]), 2];
  bytes.set([row.length, 1, ...row], 1000);
  const cells = 10_000;
  bytes[pageSize] = 13;
  view.setUint16(pageSize + 3, cells);
  for (let i = 0; i < cells; i++) view.setUint16(pageSize + 8 + 2 * i, 30_000);
  // One blob: its type is 12 + 2 × length.
  const type = varint(12 + 2 * 30_000);
  bytes.set([...varint(1 + type.length + 30_000), 1, 1 + type.length, ...type], pageSize + 30_000);
  expect(read(blobs(bytes))).toEqual({ bytes: 60_000, why: 'the rows of a page overlap' });
});

it('a page of Berkeley DB whose items are all the same is refused', () => {
  const bytes = new Uint8Array(2 * pageSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(12, 0x00_06_15_61, true);
  view.setUint32(20, pageSize, true);
  const items = 16_000;
  bytes[pageSize + 25] = 13;
  view.setUint16(pageSize + 20, items, true);
  for (let i = 0; i < items; i++) view.setUint16(pageSize + 26 + 2 * i, i % 2 === 0 ? 65_000 : 35_000, true);
  bytes[pageSize + 35_000] = 1;
  expect(read(readBerkeleyDb(bytes))).toEqual({ bytes: 59_998, why: 'the items of a page overlap' });
});

function* blobs(bytes: Uint8Array): Generator {
  for (const row of new SqliteFile(bytes).rows('Packages')) yield* row;
}

function varint(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [...varint(value >> 7).map((byte) => byte | 0x80), low];
}
