import { utf8Bytes } from '../../src/bytes/bytes.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePattern } from '../../src/rules/pattern.ts';
import { PatternSet } from '../../src/rules/pattern-set.ts';
import { b } from '../support/bytes.ts';

/** Tells whether the glob matches this very path, not an ancestor of it. */
function matches(glob: string, path: string): boolean {
  const set = new PatternSet([parsePattern(glob, 'test')], (indices) => ({ indices }));
  let result = false;
  set.visit(utf8Bytes(path), (_, own) => {
    result ||= own;
  });
  return result;
}

describe('a glob as Docker reads it', () => {
  it.each([
    ['**', 'file'],
    ['**/', 'file'],
    ['**', 'dir/file'],
    ['**/**', 'dir/file'],
    ['dir/**', 'dir/file'],
    ['dir/**', 'dir/dir2/file'],
    ['**/dir', 'dir'],
    ['**/dir2/*', 'dir/dir2/file'],
    ['**/dir2/**', 'dir/dir2/dir3/file'],
    ['**file', 'file'],
    ['**file', 'dir/dir/file'],
    ['**file', 'dir/xfile'],
    ['**/file', 'dir/dir/file'],
    ['**/file*txt', 'dir/dir/file.txt'],
    ['**/**/*.txt', 'dir/dir/file.txt'],
    ['**/*.txt', 'file.txt'],
    ['**/**/*.txt', 'file.txt'],
    ['a**/*.txt', 'a/file.txt'],
    ['a**/*.txt', 'a/dir/dir/file.txt'],
    ['a/*.txt', 'a/file.txt'],
    ['a/*.txt**', 'a/file.txt'],
    ['a/**/b', 'a/b'],
    ['a/**/b', 'a/x/y/b'],
    ['a[b-d]e', 'ace'],
    ['a[^b-d]e', 'aze'],
    ['a[!b-d]e', 'aze'],
    ['.*', '.foo'],
    ['*', '.foo'],
    ['abc.def', 'abc.def'],
    ['abc?def', 'abcZdef'],
    ['a\\\\', 'a\\'],
    ['a\\*b', 'a*b'],
    ['\\[x]', '[x]'],
    ['a{b,c}d', 'a{b,c}d'],
    ['a.|)$(}+{bc', 'a.|)$(}+{bc'],
    ['a*b*c*d*e*/f', 'axbxcxdxexxx/f'],
    ['a*b?c*x', 'abxbbxdbxebxczzx'],
    ['a?b', 'a☺b'],
    ['a[^a]b', 'a☺b'],
    ['[a-ζ]*', 'α'],
    ['[\\]a]', ']'],
    ['[\\-x]', '-'],
    ['[x-]', '-'],
    ['[-x]', '-'],
    ['/etc/passwd', 'etc/passwd'],
    ['./etc//./passwd/', 'etc/passwd'],
    ['a\\/b', 'a/b'],
    ['***', 'a/b'],
    ['naïve-日本', 'naïve-日本'],
    ['na*日*', 'naïve-日本'],
    ['**/naïve', 'x/naïve'],
  ])('%j matches %j', (glob, path) => expect(matches(glob, path)).toBe(true));

  it.each([
    ['dir/**', 'dir'],
    ['**/dir2/*', 'dir/dir2'],
    ['**/**/*.txt2', 'dir/dir/file.txt'],
    ['a/*.txt', 'a/dir/file.txt'],
    ['a[b-d]e', 'ae'],
    ['a[b-d]e', 'aae'],
    ['.*', 'foo'],
    ['abc.def', 'abcZdef'],
    ['abc?def', 'abcdef'],
    ['a*b*c*d*e*/f', 'axbxcxdxe/xxx/f'],
    ['a*b?c*x', 'abxbbxdbxebxczzy'],
    ['a?b', 'a/b'],
    ['a*b', 'a/b'],
    ['a[^x]b', 'a/b'],
    ['a[+-0]b', 'a/b'],
    ['a???b', 'a☺b'],
    ['**/.foo', 'bar.foo'],
    ['a/**/b', 'a/xb'],
    ['a/**/b', 'ab'],
    ['etc', 'etcetera'],
    ['ETC', 'etc'],
    ['cafe\u0301', 'café'], // other bytes, another file
  ])('%j does not match %j', (glob, path) => expect(matches(glob, path)).toBe(false));
});

describe('names that are not UTF-8', () => {
  const raw = (glob: string, path: string): boolean => {
    let result = false;
    new PatternSet([parsePattern(glob, 'test')], (indices) => ({ indices })).visit(b(path), (_, own) => {
      result ||= own;
    });
    return result;
  };
  it.each([
    ['bad?', 'bad\xff', true],
    ['bad?', 'bad\xff\xff', false],
    ['bad??', 'bad\xff\xff', true],
    ['bad[^a]', 'bad\xff', true],
    ['bad[ÿ]', 'bad\xff', false], // U+00FF is the two bytes C3 BF
    ['badÿ', 'bad\xff', false],
    ['badÿ', 'bad\xc3\xbf', true],
    ['bad?', 'bad\xc3\xbf', true],
    ['bad?', 'bad\xc3', true],
    ['bad??', 'bad\xc3x', true],
    ['b*x', 'b\xe6\x97x', true],
    ['?', '\xc0', true],
    ['?', '\xc0\xaf', false], // an overlong slash is two bad bytes
    ['??', '\xc0\xaf', true],
    ['???', '\xed\xa0\x80', true], // a surrogate is three
    ['????', '\xf4\x90\x80\x80', true], // beyond U+10FFFF: four
    ['?', '\xf4\x8f\xbf\xbf', true],
    ['???', '\xe0\x80\x80', true], // overlong
    ['????', '\xf0\x80\x80\x80', true],
    ['?', '\xf0\x9f\x98\x80', true],
  ])('%j on %j: %j', (glob, path, expected) => expect(raw(glob, path)).toBe(expected));
});

describe('patterns that are refused', () => {
  it.each([
    ['a[', /never closed/],
    ['a[^', /never closed/],
    ['a[b-', /never closed/],
    ['a[bc\\', /never closed/],
    ['a[]b', /empty class/],
    ['a[z-a]', /backwards/],
    ['a[b/c]', /holds "\/"/],
    ['[[:alpha:]]', /named class/],
    ['a\\', /lone backslash/],
    ['../x', /climbs/],
    ['a/../b', /climbs/],
    ['/', /names no path/],
    ['./.', /names no path/],
    ['a\0b', /NUL/],
    ['a\ud800', /well-formed/],
    ['x'.repeat(4097), /longer than 4096/],
  ])('refuses %j', (glob, message) => {
    expect(() => parsePattern(glob, 'rules.txt:7')).toThrow(
      expect.objectContaining({ code: 'RULES_INVALID' }),
    );
    expect(() => parsePattern(glob, 'rules.txt:7')).toThrow(message);
    expect(() => parsePattern(glob, 'rules.txt:7')).toThrow(/^rules\.txt:7: /);
  });
  it('a dot that a backslash or a neighbour makes a name stays', () => {
    expect(matches('..a', '..a')).toBe(true);
    expect(matches('a/.b', 'a/.b')).toBe(true);
    expect(() => parsePattern('\\.\\./a', 'x')).toThrow(/climbs/);
  });
});

// The oracle works on the pieces that the glob's text is made of, by plain backtracking.
type Atom = { readonly text: string; readonly takes: (character: string) => boolean } | 'star' | 'glued';
type Part = readonly Atom[] | 'deep';

const alphabet = ['a', 'b', '.', 'é', '日', '\xff'] as const;
/** Bytes of a character of the test's alphabet; `\xff` stands for the bad byte itself. */
const bytes = (character: string): string => (character === '\xff' ? '\xff' : utf8Bytes(character));

const atom: fc.Arbitrary<Atom> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .constantFrom('a', 'b', '.', 'é', '日')
      .map((c) => ({ text: c, takes: (x: string) => x === c })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('a', 'b', 'é').map((c) => ({ text: `\\${c}`, takes: (x: string) => x === c })),
  },
  { weight: 2, arbitrary: fc.constant<Atom>({ text: '?', takes: () => true }) },
  { weight: 3, arbitrary: fc.constant<Atom>('star') },
  { weight: 1, arbitrary: fc.constant<Atom>('glued') },
  {
    weight: 2,
    arbitrary: fc
      .record({
        negated: fc.boolean(),
        members: fc.uniqueArray(fc.constantFrom('a', 'b', 'é', '日'), { minLength: 1 }),
      })
      .map(
        ({ negated, members }): Atom => ({
          text: `[${negated ? '^' : ''}${members.join('')}]`,
          takes: (x) => members.includes(x as 'a') !== negated,
        }),
      ),
  },
);
const isWild = (piece: Atom | undefined): boolean => piece === 'star' || piece === 'glued';
const component: fc.Arbitrary<Part> = fc
  .array(atom, { minLength: 1, maxLength: 5 })
  // Stars that touch would merge into another piece; a lone "**", ".", ".." has another meaning.
  .map((atoms) => atoms.filter((piece, i) => !(isWild(piece) && isWild(atoms[i - 1]))))
  .filter((atoms) => !(atoms.length === 1 && atoms[0] === 'glued') && !/^\.{1,2}$/.test(write([atoms])));
const glob: fc.Arbitrary<readonly Part[]> = fc.array(
  fc.oneof({ weight: 4, arbitrary: component }, { weight: 1, arbitrary: fc.constant<Part>('deep') }),
  { minLength: 1, maxLength: 4 },
);
const path = fc.array(fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 4,
});

function write(parts: readonly Part[]): string {
  const show = (piece: Atom): string => (piece === 'star' ? '*' : piece === 'glued' ? '**' : piece.text);
  return parts.map((part) => (part === 'deep' ? '**' : part.map(show).join(''))).join('/');
}

function oracle(parts: readonly Part[], text: readonly string[]): boolean {
  const [part, ...rest] = parts;
  if (part === undefined) return text.length === 0;
  if (part === 'deep') {
    if (rest.length === 0) return text.length > 0;
    return (
      oracle(rest, text) || text.some((character, i) => character === '/' && oracle(rest, text.slice(i + 1)))
    );
  }
  return atoms(part, rest, text);
}

function atoms(part: readonly Atom[], rest: readonly Part[], text: readonly string[]): boolean {
  const [piece, ...more] = part;
  if (piece === undefined) {
    if (rest.length === 0) return text.length === 0;
    return text[0] === '/' && text.length > 1 && oracle(rest, text.slice(1));
  }
  if (piece === 'star' || piece === 'glued') {
    if (atoms(more, rest, text)) return true;
    return text.length > 0 && (piece === 'glued' || text[0] !== '/') && atoms(part, rest, text.slice(1));
  }
  return (
    text.length > 0 && text[0] !== '/' && piece.takes(text[0] as string) && atoms(more, rest, text.slice(1))
  );
}

describe('against an independent matcher', () => {
  it('agrees on every prefix of a path, for many patterns at once', () => {
    fc.assert(
      fc.property(
        fc.array(glob, { minLength: 1, maxLength: 5 }),
        fc.array(path, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(0, 100, 1_000_000),
        (globs, paths, budget) => {
          const set = new PatternSet(
            globs.map((parts) => parsePattern(write(parts), 'test')),
            (indices) => indices,
            budget,
          );
          for (const components of paths) {
            const found: number[] = [];
            set.visit(b(components.map((name) => name.map(bytes).join('')).join('/')), (indices) =>
              found.push(...indices),
            );
            const expected: number[] = [];
            for (let depth = 1; depth <= components.length; depth++) {
              const text = components.slice(0, depth).flatMap((name, i) => (i === 0 ? name : ['/', ...name]));
              for (const [index, parts] of globs.entries()) if (oracle(parts, text)) expected.push(index);
            }
            expect(found.sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('T16: work grows with the length of the path, whatever the patterns', () => {
  const bomb = `${'a*'.repeat(200)}b`;
  const paths = Array.from({ length: 200 }, (_, i) => `${'a'.repeat(200 + (i % 50))}${i}${'a'.repeat(i)}`);
  it.each([
    ['stars', [bomb]],
    ['deep stars', [`${'**/a*'.repeat(100)}b`]],
    ['glued stars', [`${'**a'.repeat(200)}b`]],
    ['marks behind a star', [`*a${'?'.repeat(60)}b`]],
    ['classes behind a star', [`*[a]${'[^b]'.repeat(60)}b`]],
    ['all at once', Array.from({ length: 50 }, (_, i) => `${'a*'.repeat(i)}${'?'.repeat(50 - i)}b`)],
  ])('stays linear for %s', (_, globs) => {
    const set = new PatternSet(
      globs.map((text) => parsePattern(text, 'test')),
      (indices) => indices,
    );
    let characters = 0;
    for (const text of paths) {
      set.visit(b(text), () => {});
      characters += text.length;
    }
    // The bound of the construction: each character looks at each place once, at most.
    expect(set.work).toBeLessThanOrEqual(characters * (set.size + 1));
    expect(set.size).toBeLessThanOrEqual(globs.reduce((sum, text) => sum + text.length, 2));
  });

  it('a star bomb costs next to nothing once its states are known', () => {
    const set = new PatternSet([parsePattern(bomb, 'test')], (indices) => indices);
    for (const text of paths) set.visit(b(text), () => {});
    const before = set.work;
    for (const text of paths) set.visit(b(text), () => {});
    expect(set.work - before).toBeLessThanOrEqual(paths.reduce((sum, text) => sum + text.length, 0));
  });

  it('a path of 2,000 directories is not looked up at each of them', () => {
    const literals = ['a', 'a/a', 'b/c/d', `${'d/'.repeat(999)}d`];
    const set = new PatternSet(
      literals.map((text) => parsePattern(text, 'test')),
      (indices) => indices,
    );
    const deep = `${'d/'.repeat(2000)}x`;
    const found: number[] = [];
    set.visit(b(deep), (indices) => found.push(...indices));
    expect(found).toEqual([3]);
    // Once along the path, and once for each literal that a directory is as long as.
    expect(set.work).toBeLessThanOrEqual(deep.length * (1 + literals.length) + 2);
  });

  it('many rules that share no prefix cost a path no more than one does', () => {
    const work = (count: number): number => {
      const set = new PatternSet(
        Array.from({ length: count }, (_, i) => parsePattern(`**/*-${i}.js`, 'test')),
        (indices) => indices,
      );
      for (let i = 0; i < 5000; i++) set.visit(b(`lib/package-${i % 100}/file-${i % 500}.js`), () => {});
      const before = set.work;
      for (let i = 0; i < 5000; i++) set.visit(b(`lib/package-${i % 100}/file-${i % 500}.js`), () => {});
      return set.work - before;
    };
    expect(work(1000)).toBe(work(1));
  });

  it('forgets its states when they get too many, and still answers rightly', () => {
    // Each random text of a and b leaves another set of open question marks behind: 2^24 states, if all were kept.
    const set = new PatternSet(
      [parsePattern(`*a${'?'.repeat(24)}`, 'test'), parsePattern('**/end', 'test')],
      (indices) => indices,
      20_000,
    );
    let seed = 1;
    let hits = 0;
    let expected = 0;
    for (let i = 0; i < 200; i++) {
      let text = '';
      for (let k = 0; k < 150; k++) {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        text += seed & 0x10000 ? 'a' : 'b';
      }
      if (text[125] === 'a') expected++;
      set.visit(b(text), () => {
        hits++;
      });
    }
    expect(hits).toBe(expected);
    let ends = 0;
    set.visit(b('a/end'), (indices) => {
      ends += indices.length;
    });
    expect(ends).toBe(1);
  });
});
