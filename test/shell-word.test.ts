import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellWord } from '../src/shell-word.ts';
import { expectHarmless, nasty } from './support/hostile-text.ts';

/** What bash makes of words. */
function wordsOf(line: string): string[] {
  return execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

describe('a word for a shell', () => {
  it('is read by bash as it was, and drives no terminal', () => {
    const words = fc.array(fc.string({ unit: 'binary', minLength: 1 }), { minLength: 1, maxLength: 40 });
    const property = fc.property(words, (given) => {
      const clean = given.map((word) => word.replaceAll(/[\0\p{Cs}]/gu, 'x'));
      const line = clean.map(shellWord).join(' ');
      expectHarmless(line, line);
      expect(wordsOf(line)).toEqual(clean);
    });
    fc.assert(property, { numRuns: 20 });
  });

  it('is read so too where it looks like a home, an option, or a command of a CI service', () => {
    const words = ['~', '~root', '-n', '$HOME', '`id`', '!', '', nasty];
    expect(wordsOf(words.map(shellWord).join(' '))).toEqual(words);
  });
});
