import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import type { Short } from '../support/model/shorthand.ts';
import { listTree, stackOf, treeOf } from './rig.ts';
import { p } from '../support/bytes.ts';

async function applied(...layers: Short[][]): Promise<string[]> {
  return listTree(treeOf(await stackOf(...layers), 1, layers.length));
}

describe('layers over layers', () => {
  test('a later entry wins; a directory merges with the one below', async () => {
    expect(await applied(['d/', 'd/a=1', 'b=1'], ['d/', 'd/c=2', 'b=2'])).toEqual([
      'b file 2',
      'd/',
      'd/a file 1',
      'd/c file 2',
    ]);
  });

  test('a file takes the place of a directory with all in it, and the other way round', async () => {
    expect(await applied(['d/', 'd/a=1'], ['d=2'])).toEqual(['d file 2']);
    expect(await applied(['d=1'], ['d/', 'd/a=2'])).toEqual(['d/', 'd/a file 2']);
    expect(await applied(['d~>x'], ['d/a=2'])).toEqual(['d/?', 'd/a file 2']);
  });

  test('T3: whiteouts act on what is below, wherever they stand', async () => {
    for (const layer of [
      ['.wh.d', 'd/new=2'],
      ['d/new=2', '.wh.d'],
    ])
      expect(await applied(['d/', 'd/old=1'], layer)).toEqual(['d/?', 'd/new file 2']);
  });

  test('T3: an opaque marker empties its directory and leaves it', async () => {
    for (const layer of [
      ['d/new=2', 'd/.wh..wh..opq'],
      ['d/.wh..wh..opq', 'd/new=2'],
    ])
      expect(await applied(['d/', 'd/old=1', 'd/e/f=1'], layer)).toEqual(['d/', 'd/new file 2']);
  });

  test('what has no entry of its own is implied, by markers too', async () => {
    expect(await applied(['a/b=1'])).toEqual(['a/?', 'a/b file 1']);
    expect(await applied(['a/.wh.b', 'c/.wh..wh..opq'])).toEqual(['a/?', 'c/?']);
  });
});

describe('hard links', () => {
  /** The layer and path whose data a path has. */
  async function dataOf(path: string, ...layers: Short[][]): Promise<string> {
    const { table, list, ...stack } = await stackOf(...layers);
    const tree = treeOf({ table, list, ...stack }, 1, layers.length);
    const file = list.get((tree.file[table.idOf(p(path))] as number) - 1);
    return `${file.layer} ${table.paths[file.path]}`;
  }

  test('bind to what their target means at this point', async () => {
    expect(await dataOf('b', ['a=1', 'b->a'])).toBe('1 a');
    expect(await dataOf('b', ['a=1'], ['b->a'])).toBe('1 a');
    expect(await dataOf('b', ['a=1'], ['a=2', 'b->a'])).toBe('2 a');
    expect(await dataOf('b', ['a=1'], ['b->a', 'a=2'])).toBe('1 a');
    expect(await dataOf('c', ['a=1', 'b->a', 'c->b'])).toBe('1 a');
  });

  test('keep the data when the name that brought it goes', async () => {
    expect(await dataOf('b', ['a=1', 'b->a'], ['a=2'])).toBe('1 a');
    expect(await dataOf('b', ['a=1', 'b->a'], ['.wh.a'])).toBe('1 a');
  });

  test.each([
    ['nothing', [['b->a']], /points at "a", which does not exist there/],
    ['what is hidden', [['a=1'], ['.wh.a', 'b->a']], /points at "a", which does not exist there/],
    ['what comes later', [['b->a', 'a=1']], /points at "a", which does not exist there/],
    ['itself', [['a=1'], ['a->a']], /points at "a", which does not exist there/],
    ['a directory', [['a/'], ['b->a']], /in layer 2 points at a directory, "a"/],
  ])('to %s are refused', async (_, layers, message) => {
    const stack = await stackOf(...layers);
    expect(() => treeOf(stack, 1, layers.length)).toThrow(OcislimError);
    expect(() => treeOf(stack, 1, layers.length)).toThrow(message);
  });
});

test.each([
  [['a=1', 'a/b=1'], 'a/b'],
  [['a~>c', 'a/b/'], 'a/b'],
  [['a=1', 'a/.wh.b'], 'a/b'],
  [['a=1', 'a/.wh..wh..opq'], 'a/.wh..wh..opq'],
])(
  'T2: %j: an entry below something other than a directory of its own layer is refused',
  async (layer, name) => {
    const stack = await stackOf(layer);
    expect(() => treeOf(stack, 1, 1)).toThrow(
      `"${name}" lies below "a", which is not a directory in the same layer`,
    );
  },
);

test('T3: an entry or marker below something other than a directory in a lower layer takes its place, also that of a symlink', async () => {
  for (const below of ['a=1', 'a~>etc']) {
    expect(await applied(['etc/', 'etc/b=1', below], ['a/b=1'])).toEqual([
      'a/?',
      'a/b file 2',
      'etc/',
      'etc/b file 1',
    ]);
    for (const marker of ['a/.wh.b', './/a/.wh.b', '/a/.wh..wh..opq'])
      expect(await applied(['etc/', 'etc/b=1', below], [marker])).toEqual(['a/?', 'etc/', 'etc/b file 1']);
  }
});

test.each<[string[][]]>([
  [[['a->b', 'b->a']]],
  [[['a->a']]],
  [[['a=1'], ['a->a']]],
  [
    [
      ['a=1', 'b->a'],
      ['.wh.a', 'c->a'],
    ],
  ],
  [
    [
      ['d/', 'd/a=1'],
      ['d=2', 'e->d/a'],
    ],
  ],
  [[['s~>a', 'a=1'], ['l->s/x']]],
])('T2: hard links in circles, and to what is not there any more, dangle: %j', async (layers) => {
  await expect(applied(...layers)).rejects.toMatchObject({
    code: 'LAYER_INVALID',
    message: expect.stringContaining('does not exist there'),
  });
});

describe('over layers that have not been scanned', () => {
  test('it knows what it hides', async () => {
    const stack = await stackOf(['x=1'], ['.wh.a', 'd/.wh..wh..opq', 'f=1', 'g/h=1', 'd/i=1'], ['a/b=1']);
    const tree = treeOf(stack, 2, 3, 'unknown');
    const ids = (path: string) => stack.table.idOf(p(path));
    expect([tree.hidesAt(ids('a')), tree.hidesAt(ids('d')), tree.hidesChildrenAt(ids('d'))]).toEqual([
      true,
      false,
      true,
    ]);
    expect(['x', 'a', 'a/b', 'd/i', 'f', 'g'].filter((path) => tree.isUntouched(ids(path)))).toEqual(['x']);
  });

  test('a link may name what is there and not hidden', async () => {
    const stack = await stackOf(['a=1'], ['b->a']);
    const tree = treeOf(stack, 2, 2, 'unknown');
    expect(tree.file[stack.table.idOf(p('b'))]).toBe(-(stack.table.idOf(p('a')) + 1));
    const hidden = await stackOf(['d/a=1'], ['.wh.d', 'b->d/a']);
    expect(() => treeOf(hidden, 2, 2, 'unknown')).toThrow(/does not exist there/);
  });
});

test('a copy goes its own way', async () => {
  const stack = await stackOf(['a=1', 'd/b=1'], ['.wh.a', '.wh.d']);
  const tree = treeOf(stack, 1, 1);
  const copy = tree.clone();
  copy.apply(stack.layers.get(2) ?? []);
  expect(listTree(copy)).toEqual([]);
  expect(listTree(tree)).toEqual(['a file 1', 'd/?', 'd/b file 1']);
});
