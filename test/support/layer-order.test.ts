import { describe, expect, it } from 'vitest';
import { applyLayers } from './model/filesystem.ts';
import { orderProblems } from './model/layer-order.ts';
import { layer, type Short } from './model/shorthand.ts';

describe('orderProblems', () => {
  it('is content with a layer in good order', () => {
    const good = layer('./', '.wh.x', 'a/', 'a/.wh..wh..opq', 'a/.wh.y', 'a/t=1', 'a/l->a/t', '.wh.f', 'f=1');
    expect(orderProblems(good)).toEqual([]);
  });

  it.each<[string, Short[]]>([
    ['a path twice', ['a=1', './a=2']],
    ['a marker twice', ['.wh.a', './.wh.a']],
    ['a child before its parent', ['a/b=1', 'a/']],
    ['a marker before its parent', ['a/.wh.b', 'a/']],
    ['an opaque marker below what becomes a file', ['a/.wh..wh..opq', 'a=1']],
    ['a whiteout after its name', ['a=1', '.wh.a']],
    ['an opaque marker after its sibling', ['a/', 'a/b=1', 'a/.wh..wh..opq']],
    ['a directory beside its whiteout', ['.wh.a', 'a/']],
    ['a child beside a whiteout', ['.wh.a', 'a/b=1']],
    ['a link before its target', ['l->t', 't=1']],
    ['a leftover', ['.wh..wh.aufs']],
  ])('finds %s', (_, entries) => {
    expect(orderProblems(layer(...entries)).length).toBeGreaterThan(0);
  });

  it('lets a link bind to a lower file that is given', () => {
    expect(orderProblems(layer('l->t'), applyLayers([layer('t=1')]))).toEqual([]);
  });
});
