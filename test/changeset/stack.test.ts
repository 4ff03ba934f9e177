import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { indexOf, stackOf } from './rig.ts';

describe('what an entry does', () => {
  test.each([
    ['a/', 'directory', 'a'],
    ['a=1', 'file', 'a'],
    ['a~>b', 'symlink', 'a'],
    ['|a', 'fifo', 'a'],
    ['d/a->d/b', 'link', 'd/a'],
    ['d/.wh.a', 'whiteout', 'd/a'],
    ['.wh.a', 'whiteout', 'a'],
    ['d/.wh..wh..opq', 'opaque', 'd'],
    ['.wh..wh..opq', 'opaque', ''],
    // AUFS leftovers, and what lies below one.
    ['.wh..wh.plnk/', 'ignored', '.wh..wh.plnk'],
    ['.wh..wh.plnk/12.3=1', 'ignored', '.wh..wh.plnk/12.3'],
    ['d/.wh..wh.aufs', 'ignored', 'd/.wh..wh.aufs'],
    // Dots and the prefix elsewhere in a name mean nothing.
    ['.wh.a.wh.b', 'whiteout', 'a.wh.b'],
    ['a.wh.b=1', 'file', 'a.wh.b'],
    ['.wh....', 'whiteout', '...'],
  ])('%s is a change of the kind %s at "%s"', async (entry, kind, path) => {
    const index = await indexOf(entry);
    expect([index.kinds, index.paths]).toEqual([[kind], [path]]);
  });

  test.each(['.wh.', '.wh..', '.wh...', './=1', 'a->', 'a->./'])('%s is refused', async (entry) => {
    await expect(indexOf(entry)).rejects.toBeInstanceOf(OcislimError);
  });
});

test('an index adds up to the tar', async () => {
  const index = await indexOf('a/', `b=${'x'.repeat(600)}`, 'c->b', '.wh.d');
  expect([...index.bytes]).toEqual([512, 512 + 1024, 512, 512]);
  expect([...index.sizes]).toEqual([0, 600, 0, 0]);
  expect(index.tarBytes).toBe(index.bytes.reduce((sum, bytes) => sum + bytes, 0) + 1024);
  expect([...index.targets]).toEqual([[2, 'b']]);
  for (const entry of [0, 2, 3]) expect(index.head(entry).length).toBe(512);
  // Heads of files are read again when they are written.
  expect(() => index.head(1)).toThrow('no head is kept of entry 1');
});

test('changes of all layers share one table of paths, targets of links included', async () => {
  const { table, layers, list } = await stackOf(['a=1', 'x->y/z'], ['.wh.a', '.wh..wh.plnk/1=1', 'b/c=1']);
  expect(table.paths).toEqual(['', '.wh..wh.plnk', '.wh..wh.plnk/1', 'a', 'b', 'b/c', 'x', 'y', 'y/z']);
  const [first = [], second = []] = [layers.get(1), layers.get(2)];
  expect(first.map(({ kind, path, target, entry }) => [kind, path, target, entry])).toEqual([
    ['file', 3, -1, 0],
    ['link', 6, 8, 1],
  ]);
  expect(second.map(({ kind, path, layer, entry }) => [kind, path, layer, entry])).toEqual([
    ['whiteout', 3, 2, 0],
    ['file', 5, 2, 2],
  ]);
  // The number of a file is the change that first carried its data; a link has no file before it is bound.
  expect(first.map(({ id, file }) => file - id)).toEqual([0, -1 - (first[1]?.id ?? 0)]);
  expect(list.get(second[1]?.id ?? -1)).toBe(second[1]);
});
