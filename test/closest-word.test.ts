import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closestWord } from '../src/closest-word.ts';

const words = [
  'squash',
  'prune',
  'recompress',
  'slim',
  'restore',
  'copy',
  'verify',
  'export',
  'trace',
  'last',
];

describe('the closest word', () => {
  test.each([
    ['sqaush', 'squash'],
    ['squsah', 'squash'],
    ['squas', 'squash'],
    ['squashh', 'squash'],
    ['SQUASH', 'squash'],
    ['prun', 'prune'],
    ['pruen', 'prune'],
    ['recompres', 'recompress'],
    ['recomprss', 'recompress'],
    ['rec', 'recompress'],
    ['slimm', 'slim'],
    ['lsat', 'last'],
    ['verify-image', 'verify'],
    ['exprot', 'export'],
  ])('to %j is %j', (word, expected) => {
    expect(closestWord(word, words)).toBe(expected);
  });

  test.each(['', 'x', 'import', 'report', 'run', 'push', 'pull', 'tags', 'diff', 'frobnicate', 'toString'])(
    'to %j is not guessed',
    (word) => {
      expect(closestWord(word, words)).toBeNull();
    },
  );

  test('is the same word in another spelling', () => {
    expect(closestWord('dryRun', ['dry-run', 'dry'])).toBe('dry-run');
    expect(closestWord('DRY_RUN', ['dry', 'dry-run'])).toBe('dry-run');
  });

  test('is a word itself, and one edit away it is still found', () => {
    fc.assert(
      fc.property(fc.constantFrom(...words), fc.nat(), fc.constantFrom('x', ''), (word, at, put) => {
        expect(closestWord(word, words)).toBe(word);
        const where = at % word.length;
        const changed = word.slice(0, where) + put + word.slice(where + 1);
        expect(closestWord(changed, [word])).toBe(word);
      }),
    );
  });

  test('is looked for in words of any length in no time', () => {
    expect(closestWord('s'.repeat(1_000_000), words)).toBeNull();
  });
});
