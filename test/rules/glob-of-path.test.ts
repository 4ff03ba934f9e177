import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asByteString } from '../../src/bytes/bytes.ts';
import { cleanPath } from '../../src/bytes/path.ts';
import { globOfPath, ruleOfPath } from '../../src/rules/glob-of-path.ts';
import { createKeepMatcher, createMatcher, literalPath, parseRules } from '../../src/rules/rules.ts';
import { p } from '../support/bytes.ts';

/** Paths of awkward bytes: wildcards, blanks, escapes, and what is not UTF-8. */
const paths = fc
  .array(
    fc.oneof(
      fc.constantFrom('*', '?', '[', ']', '\\', '!', '#', '.', ' ', '\t', '\n', '\r', '\v', 'x'),
      fc.constantFrom('\\xff', '\xff', 'é', '\xe2\x82\xac', '\xf0\x9f\x98\x80', 'a/b', '[a]'),
      fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((pieces) => asByteString(pieces.join('')))
  .filter((name) => !name.split('/').includes(asByteString('..')))
  .map(cleanPath)
  .filter((path) => path !== '');

describe('the glob of a path', () => {
  it('matches the path and what is below it, whatever its bytes are', () => {
    const property = fc.property(paths, (path) => {
      const keep = createKeepMatcher([globOfPath(path)]);
      expect(keep(path)?.negated).toBe(false);
      expect(keep(cleanPath(asByteString(`${path}/below`)))).not.toBeNull();
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('matches no other path, where a rule of a file can state it, and is followed through symlinks then', () => {
    const property = fc.property(paths, paths, (path, other) => {
      const rule = ruleOfPath(path);
      if (rule === null) {
        expect(globOfPath(path)).toContain('?');
        return;
      }
      expect(globOfPath(path)).toBe(rule);
      expect(literalPath(rule)).toBe(path);
      const matches = createMatcher(parseRules(rule, 'rules.txt'));
      expect(matches(path, 'file')).not.toBeNull();
      const isBelow = `${other}/`.startsWith(`${path}/`);
      expect(matches(other, 'file') !== null).toBe(isBelow);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('names a directory above a path that is too long', () => {
    const long = ['usr', ...Array.from({ length: 30 }, () => '*'.repeat(120))].join('/');
    const glob = globOfPath(p(long));
    expect(glob.length).toBeLessThanOrEqual(4096);
    expect(glob.startsWith(String.raw`/usr/\*`)).toBe(true);
    expect(createKeepMatcher([glob])(p(long))).not.toBeNull();
    expect(globOfPath(p('x'.repeat(5000)))).toBe('**');
  });
});

describe('a glob without wildcards', () => {
  it.each([
    ['bin/sh', 'bin/sh'],
    ['/bin/\\[', 'bin/['],
    ['a!b]', 'a!b]'],
    ['a\\\\b', 'a\\b'],
    ['/a\\ ', 'a '],
  ])('%j names the path %j', (glob, path) => {
    expect(literalPath(glob)).toBe(path);
  });

  it.each(['', ' ', '!a', 'a*', '[a]', 'a\\', '\\\\*', 'a?'])('is not %j', (glob) => {
    expect(literalPath(glob)).toBeNull();
  });
});
