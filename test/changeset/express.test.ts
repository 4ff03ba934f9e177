import { describe, expect, test } from 'vitest';
import { NeedsLayersBelow } from '../../src/changeset/express.ts';
import type { Short } from '../support/model/shorthand.ts';
import { expressRange, stackOf } from './rig.ts';

/** All layers as one, nothing below. */
async function whole(...layers: Short[][]) {
  return expressRange(await stackOf(...layers), 1, layers.length, 'nothing');
}

/** All layers above the first as one. */
async function above(kind: 'known' | 'unknown', ...layers: Short[][]) {
  return expressRange(await stackOf(...layers), 2, layers.length, kind);
}

const nothing: string[] = [];

test('directories and markers come first, then data as in the sources, then links', async () => {
  const layers = [
    ['z=1', 'l->z', 'd/', 'd/b=1', 'd/a=1'],
    ['c=2', '.wh.gone', 'd/e/'],
  ];
  expect((await whole(...layers)).entries).toEqual(['d/', 'd/e/', 'z=1', 'd/b=1', 'd/a=1', 'c=2', 'l->z']);
  expect((await above('unknown', [], ...layers)).entries).toEqual([
    'd/',
    'd/e/',
    '-gone (made)',
    'z=2',
    'd/b=2',
    'd/a=2',
    'c=3',
    'l->z',
  ]);
});

test('every path once', async () => {
  expect((await whole(['a=1', 'd/'], ['a=2', 'd/'], ['a~>d'])).entries).toEqual(['d/', 'a=3']);
});

describe('what was removed', () => {
  const layers = [['old=1'], ['a=1'], ['.wh.a', '.wh.old', 'b=1']];

  test('leaves no marker over nothing', async () => {
    expect((await whole(...layers)).entries).toEqual(['b=3']);
  });

  test('leaves the markers that layers below need', async () => {
    expect((await above('known', ...layers)).entries).toEqual(['-old (made)', 'b=3']);
  });

  test('leaves all of them over layers that have not been scanned', async () => {
    expect((await above('unknown', ...layers)).entries).toEqual(['-a (made)', '-old (made)', 'b=3']);
  });

  test('leaves the directory that lay around it', async () => {
    expect((await whole(['a/b/c=1'], ['a/b/.wh.c'])).entries).toEqual(['a/b/ (made)']);
    expect((await above('known', ['a/b/'], ['a/b/c=1'], ['a/b/.wh.c'])).entries).toEqual([]);
  });

  test('needs no marker below another one', async () => {
    const nested = [['d/e/f=1'], ['d/e/.wh.f'], ['.wh.d']];
    expect((await above('known', ...nested)).entries).toEqual(['-d (made)']);
  });
});

describe('a directory made again', () => {
  test('is opaque, so that its old children do not come back', async () => {
    const layers = [['d/', 'd/old=1'], ['.wh.d'], ['d/', 'd/new=1']];
    for (const kind of ['known', 'unknown'] as const)
      expect((await above(kind, ...layers)).entries).toEqual(['d/', 'd/* (made)', 'd/new=3']);
  });

  test('without an entry gets one, so that its old attributes do not come back', async () => {
    const layers = [
      ['d/', 'd/old=1'],
      ['.wh.d', 'd/new=1'],
    ];
    expect((await above('known', ...layers)).entries).toEqual(['d/ (made)', 'd/* (made)', 'd/new=2']);
  });

  test('over nothing needs no marker', async () => {
    const layers = [['x=1'], ['d/', 'd/old=1'], ['.wh.d', 'd/', 'd/new=1']];
    expect((await above('known', ...layers)).entries).toEqual(['d/', 'd/new=3']);
  });
});

describe('hard links', () => {
  test('carry the data when its name is gone; the other names link to them', async () => {
    expect(await whole(['a=1', 'b->a', 'c->a'], ['.wh.a'])).toEqual({
      entries: ['b=1 (renamed)', 'c->b (relinked)'],
      promoted: ['b: target removed', 'c: linked to another name'],
    });
  });

  test('stay as they are where their target does', async () => {
    expect(await whole(['a=1', 'b->a', 'c->b'])).toEqual({
      entries: ['a=1', 'b->a', 'c->b'],
      promoted: nothing,
    });
  });

  test('point at the data where the name between is gone', async () => {
    expect(await whole(['a=1', 'b->a', 'c->b'], ['.wh.b'])).toEqual({
      entries: ['a=1', 'c->a (relinked)'],
      promoted: ['c: linked to another name'],
    });
  });

  test('into layers below stay, while their target stands', async () => {
    for (const kind of ['known', 'unknown'] as const)
      expect(await above(kind, ['a=1'], ['b->a'], ['c=1'])).toEqual({
        entries: ['c=3', 'b->a'],
        promoted: nothing,
      });
  });

  test('T2: into layers below borrow the data when the range hides their target', async () => {
    const layers = [['a=1'], ['b->a'], ['a=2']];
    await expect(above('unknown', ...layers)).rejects.toBeInstanceOf(NeedsLayersBelow);
    expect(await above('known', ...layers)).toEqual({
      entries: ['b=1 (renamed)', 'a=3'],
      promoted: ['b: borrowed from a lower layer'],
    });
  });

  test('into layers below take another name of the file, if there is one', async () => {
    expect(await above('known', ['a=1', 'z->a'], ['b->a'], ['.wh.a'])).toEqual({
      entries: ['-a (made)', 'b->z (relinked)'],
      promoted: ['b: linked to another name'],
    });
  });
});
