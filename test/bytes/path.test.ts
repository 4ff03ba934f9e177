import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baseOf, cleanPath, join, parentOf, quotePath } from '../../src/bytes/path.ts';
import { buildPathTable } from '../../src/changeset/path-table.ts';
import { normalise } from '../support/model/filesystem.ts';
import { b, p } from '../support/bytes.ts';

describe('a name', () => {
  test.each(['a/b', '/a/b', './a/b', 'a/b/', 'a//b', './/a/./b/.', '/./a/b//', 'a/b/./'])(
    '%j means a/b',
    (name) => {
      expect(cleanPath(b(name))).toBe('a/b');
    },
  );

  test.each(['', '.', './', '/', '//', './.', '/.'])('%j means the root', (name) => {
    expect(cleanPath(b(name))).toBe('');
  });

  test('dots are parts of names', () => {
    for (const name of ['...', '.a', 'a.', '..a', 'a..', '.wh.a', 'a/...b'])
      expect(cleanPath(b(name))).toBe(name);
  });

  test.each(['..', 'a/..', '../a', 'a/../b', '/..', './..'])('%j is refused', (name) => {
    expect(() => cleanPath(b(name))).toThrow(/leaves its directory with "\.\."/);
  });

  test('with a NUL is refused', () => {
    expect(() => cleanPath(b('a\0b'))).toThrow('a file name holds a NUL byte');
  });

  test('means what it means to the model', () => {
    const names = fc.string({ unit: fc.constantFrom('a', '.', '/', '\xe9'), maxLength: 12 });
    const outcome = (read: () => string) => {
      try {
        return read();
      } catch {
        return 'refused';
      }
    };
    fc.assert(
      fc.property(names, (name) => {
        expect(outcome(() => cleanPath(b(name)))).toBe(outcome(() => normalise(name)));
      }),
      { numRuns: 1000 },
    );
  });
});

test('a path is its parent and its name', () => {
  expect([parentOf(p('a/b/c')), baseOf(b('a/b/c'))]).toEqual(['a/b', 'c']);
  expect([parentOf(p('a')), baseOf(b('a'))]).toEqual(['', 'a']);
  for (const path of ['a', 'a/b', 'a/b/c']) expect(join(parentOf(p(path)), baseOf(b(path)))).toBe(path);
});

describe('a path in a message', () => {
  test('is shown as text where its bytes are UTF-8', () => {
    expect(quotePath(b('caf\xc3\xa9'))).toBe('"café"');
  });

  test.each([
    ['caf\xe9', '"caf\\xe9"'],
    ['caf\xc3\xa9/\xff', '"café/\\xff"'],
    ['cut\xe6\x97', '"cut\\xe6\\x97"'],
    ['overlong\xc0\xaf', '"overlong\\xc0\\xaf"'],
    ['surrogate\xed\xa0\x80', '"surrogate\\xed\\xa0\\x80"'],
    ['\xe9"\n', '"\\xe9\\"\\n"'],
  ])('shows bytes that are not UTF-8 as \\xNN: %j as %s', (path, shown) => {
    expect(quotePath(b(path))).toBe(shown);
  });

  test('has nothing that moves a cursor', () => {
    expect(quotePath(b('a"b\n\x1b[2J'))).toBe('"a\\"b\\n\\u001b[2J"');
    expect(quotePath(b(Buffer.from('a\u202eb\u009b').toString('latin1')))).toBe('"a\\u202eb\\u009b"');
  });

  test('differs from every other path in a message', () => {
    const unit = fc.constantFrom(
      '\\',
      'x',
      'e',
      '9',
      'u',
      '0',
      '"',
      '\xc3',
      '\xa9',
      '\xe9',
      '\x1b',
      '\x9b',
      '\xc2',
    );
    const name = fc.string({ unit, maxLength: 8 });
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(quotePath(b(one)) === quotePath(b(other))).toBe(one === other);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('the table of paths', () => {
  test('has ancestors, and a directory right before what is in it', () => {
    const table = buildPathTable([
      [p('a/b/c'), p('a.txt')],
      [p('a/b'), p('a-x'), p('a/a')],
    ]);
    // Bytewise "a-x" and "a.txt" would come between "a" and "a/a".
    expect(table.paths).toEqual(['', 'a', 'a/a', 'a/b', 'a/b/c', 'a-x', 'a.txt']);
    expect([...table.parent]).toEqual([-1, 0, 1, 1, 3, 0, 0]);
    expect([...table.end]).toEqual([7, 5, 3, 5, 5, 6, 7]);
  });

  test('what lies below a path is one range of numbers', () => {
    const name = fc.stringMatching(/^[a-c.\-\xff]{1,3}$/);
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.array(path), (list) => {
        const table = buildPathTable([list.map(p)]);
        table.paths.forEach((top, id) => {
          expect(table.idOf(top)).toBe(id);
          const below = table.paths.filter((other) =>
            top === '' ? other !== '' : other.startsWith(`${top}/`),
          );
          expect(table.paths.slice(id + 1, table.end[id])).toEqual(below);
          if (id > 0) expect(table.paths[table.parent[id] as number]).toBe(parentOf(top));
        });
        for (const one of list) expect(table.findId(p(one))).not.toBeNull();
      }),
    );
    expect(buildPathTable([]).findId(p('a'))).toBeNull();
    expect(() => buildPathTable([]).idOf(p('a'))).toThrow('in none of the layers');
  });
});
