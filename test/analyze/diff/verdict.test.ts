import { expect, test } from 'vitest';
import type { DiffAspect, Ignorable } from '../../../src/analyze/diff/image-diff.ts';
import { AspectTally } from '../../../src/analyze/diff/verdict.ts';

function verdict(found: readonly DiffAspect[], ignored: readonly Ignorable[]) {
  const tally = new AspectTally(ignored);
  const counted = found.filter((aspect) => tally.note(aspect));
  return { ...tally.verdict(), counted };
}

test('images without a difference are identical, whatever is ignored', () => {
  expect(verdict([], ['mtime'])).toEqual({ kind: 'identical', butFor: [], differIn: [], counted: [] });
});

test('images are identical but for what differs and is ignored', () => {
  expect(verdict(['history', 'mtime'], ['mtime', 'order', 'history'])).toEqual({
    kind: 'identical-but',
    butFor: ['mtime', 'history'],
    differIn: [],
    counted: [],
  });
});

test('a difference that is not ignored makes them different', () => {
  expect(verdict(['mtime', 'files', 'mode'], ['mtime'])).toEqual({
    kind: 'different',
    butFor: ['mtime'],
    differIn: ['files', 'mode'],
    counted: ['files', 'mode'],
  });
});

test('the config has its environment and labels with it', () => {
  expect(verdict(['env', 'labels', 'config'], ['config']).kind).toBe('identical-but');
  expect(verdict(['env', 'config'], ['env'])).toMatchObject({ kind: 'different', differIn: ['config'] });
});

test('a tally takes over another one, with what that one ignores', () => {
  const [whole, part] = [new AspectTally(['mtime']), new AspectTally(['mtime'])];
  part.note('mtime');
  part.note('content');
  whole.add(part);
  expect(whole.verdict()).toEqual({ kind: 'different', butFor: ['mtime'], differIn: ['content'] });
});
