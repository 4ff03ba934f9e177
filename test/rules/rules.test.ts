import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rule, RuledKind } from '../../src/rules/rule.ts';
import { createKeepMatcher, createMatcher, parseRule, parseRules } from '../../src/rules/rules.ts';
import { p } from '../support/bytes.ts';

const rules = (...texts: string[]): Rule[] => texts.map((text) => parseRule(text, '--rule'));
const removes = (list: readonly Rule[], path: string, kind: RuledKind = 'file'): string | null =>
  createMatcher(list)(p(path), kind)?.text ?? null;

describe('rules', () => {
  it('a directory that is named takes all below it', () => {
    expect(removes(rules('usr/share/doc'), 'usr/share/doc')).toBe('usr/share/doc');
    expect(removes(rules('usr/share/doc/'), 'usr/share/doc/a/b/c')).toBe('usr/share/doc/');
    expect(removes(rules('usr/share/do'), 'usr/share/doc')).toBeNull();
    expect(removes(rules('/*/share'), 'usr/share/doc/a')).toBe('/*/share');
  });
  it('dir/** empties the directory and keeps it', () => {
    expect(removes(rules('tmp/**'), 'tmp', 'directory')).toBeNull();
    expect(removes(rules('tmp/**'), 'tmp/a/b')).toBe('tmp/**');
  });
  it('the last match wins, over ancestors too', () => {
    const list = rules('docs', '!docs/README.md', 'docs/README.md', '!docs/keep');
    expect(removes(list, 'docs/x')).toBe('docs');
    expect(removes(list, 'docs/README.md')).toBe('docs/README.md');
    expect(removes(list, 'docs/keep')).toBeNull();
    expect(removes(list, 'docs/keep/below')).toBeNull();
    expect(removes(rules('docs', '!docs', 'docs/a'), 'docs/b')).toBeNull();
    expect(removes(rules('**', '!util/docker/web', 'util/docker/web/foo'), 'util/docker/web/foo')).toBe(
      'util/docker/web/foo',
    );
    expect(removes(rules('!a', 'a'), 'a/b')).toBe('a');
  });
  it('never removes the root', () => expect(removes(rules('**'), '', 'directory')).toBeNull());
  it('returns the very rule, with its origin', () => {
    const list = parseRules('# caches\n\na/b\n', 'rules.txt');
    expect(createMatcher(list)(p('a/b'), 'file')).toBe(list[0]);
    expect(list[0]).toEqual({ text: 'a/b', origin: 'rules.txt:3', negated: false });
  });
  it('survives JSON', () => {
    const list = [
      ...rules('a/**', '!a/b'),
      { text: 'c/**', origin: 'preset x', negated: false, only: 'file', group: 'x' } as const,
    ];
    const copy = JSON.parse(JSON.stringify(list)) as Rule[];
    expect(copy).toEqual(list);
    expect(removes(copy, 'a/c')).toBe('a/**');
    expect(removes(copy, 'a/b')).toBeNull();
    expect(removes(copy, 'c/d', 'symlink')).toBeNull();
  });
  it('knows which rules matched nothing', () => {
    const list = rules('a', '!a/b', 'c', '**/d', '!e', '*x');
    const match = createMatcher(list);
    match(p('a/b/d'), 'file');
    expect(match.unused().map(({ text }) => text)).toEqual(['c', '!e', '*x']);
    match(p('xx'), 'file');
    expect(match.unused().map(({ text }) => text)).toEqual(['c', '!e']);
  });
});

describe('rules with more than a glob', () => {
  const rule = (text: string, more: Partial<Rule>): Rule => ({ ...parseRule(text, 'preset x'), ...more });

  it('only: matches entries of the kind, and covers nothing', () => {
    const list = [rule('var/log/**', { only: 'file' })];
    expect(removes(list, 'var/log/a/b', 'file')).toBe('var/log/**');
    expect(removes(list, 'var/log/a', 'directory')).toBeNull();
    expect(removes(list, 'var/log/access.log', 'symlink')).toBeNull();
    expect(removes([rule('var/log', { only: 'directory' })], 'var/log', 'directory')).toBe('var/log');
    expect(removes([rule('var/log', { only: 'directory' })], 'var/log/a', 'file')).toBeNull();
  });
  it('only on a ! rule takes back entries of the kind', () => {
    const list = [rule('doc/**', {}), rule('!doc/*', { only: 'symlink' })];
    expect(removes(list, 'doc/a', 'symlink')).toBeNull();
    expect(removes(list, 'doc/a', 'directory')).toBe('doc/**');
    expect(removes(list, 'doc/a/link', 'symlink')).toBe('doc/**');
  });
  it('a ! rule with a group spares other groups, one without spares all', () => {
    const list = [
      rule('**/*.a', { group: 'x' }),
      ...rules('lib/libc.a'),
      rule('lib/*.b', { group: 'y' }),
      rule('!lib/**', { group: 'x' }),
    ];
    expect(removes(list, 'lib/libm.a')).toBeNull();
    expect(removes(list, 'lib/libc.a')).toBe('lib/libc.a');
    expect(removes(list, 'lib/q.b')).toBe('lib/*.b');
    expect(removes([...list, ...rules('!lib')], 'lib/q.b')).toBeNull();
    expect(removes([...list, ...rules('!lib')], 'lib/libc.a')).toBeNull();
    expect(removes([...list, ...rules('!lib')], 'usr/libc.a')).toBe('**/*.a');
  });
  it('a condition is asked only where the glob matches', () => {
    const asked: string[] = [];
    const list = [rule('**/*.pyc', { needs: 'python-source', only: 'file' })];
    const match = createMatcher(list, (path) => {
      asked.push(path);
      return path === 'lib/a.py';
    });
    expect(match(p('lib/a.pyc'), 'file')?.text).toBe('**/*.pyc');
    expect(match(p('lib/__pycache__/a.cpython-311.opt-1.pyc'), 'file')?.text).toBe('**/*.pyc');
    expect(match(p('lib/b.pyc'), 'file')).toBeNull();
    expect(match(p('lib/__pycache__/b.cpython-311.pyc'), 'file')).toBeNull();
    asked.length = 0;
    expect(match(p('lib/a.py'), 'file')).toBeNull();
    expect(match(p('lib/a.pyc'), 'directory')).toBeNull();
    expect(asked).toEqual([]);
    expect(createMatcher(list)(p('lib/a.pyc'), 'file')).toBeNull();
  });
  it('the dots of a script do not hide its source, nor lend it another', () => {
    const list = [rule('**/*.py[co]', { needs: 'python-source' })];
    const match = createMatcher(list, (path) => path === 'a.b.py' || path === 'c.py');
    expect(match(p('__pycache__/a.b.cpython-311.pyc'), 'file')).not.toBeNull();
    expect(match(p('a.b.pyo'), 'file')).not.toBeNull();
    expect(match(p('c.d.pyc'), 'file')).toBeNull(); // the module "c.d" is not "c"
    expect(match(p('x__pycache__/c.cpython-311.pyc'), 'file')).toBeNull();
  });
});

describe('rule files', () => {
  it('have comments, blank lines, a byte order mark, CRLF and spaces at the ends', () => {
    const text = '\uFEFF# first\r\n  a/b \t\r\n\r\n#c\n! d\n\\#e\n\\!f\n g\\ \nh\\\\ \n';
    const list = parseRules(text, 'r');
    expect(list.map((rule) => [rule.text, rule.origin, rule.negated])).toEqual([
      ['a/b', 'r:2', false],
      ['! d', 'r:5', true],
      ['\\#e', 'r:6', false],
      ['\\!f', 'r:7', false],
      ['g\\ ', 'r:8', false],
      ['h\\\\', 'r:9', false],
    ]);
    expect(removes(list, '#e')).toBe('\\#e');
    expect(removes(list, '!f')).toBe('\\!f');
    expect(removes(list, 'g ')).toBe('g\\ ');
    expect(removes(list, 'h\\')).toBe('h\\\\');
    expect(removes(rules('d', '! d'), 'd')).toBeNull();
  });
  it('a rule of the command line may start with #', () => expect(removes(rules('#x'), '#x')).toBe('#x'));
  it.each([
    ['a\nb[\n', /^my rules\.txt:2: a "\[" in "b\["/],
    ['!\n', /^my rules\.txt:1: a lone "!"/],
    ['# ok\n\n/\n', /^my rules\.txt:3: .*no path below the root/],
  ])('%j names file and line', (text, message) => {
    expect(() => parseRules(text, 'my rules.txt')).toThrow(
      expect.objectContaining({ code: 'RULES_INVALID' }),
    );
    expect(() => parseRules(text, 'my rules.txt')).toThrow(message);
  });
  it('an empty --rule is an error', () => {
    expect(() => parseRule('  ', '--rule')).toThrow(/^--rule: the rule is empty/);
  });
});

describe('what is kept', () => {
  it('covers directories, and may have exceptions', () => {
    const keep = createKeepMatcher(['etc/ssl', ...rules('**/*.pem'), '!etc/ssl/private']);
    expect(keep(p('etc/ssl/certs/a.crt'))?.text).toBe('etc/ssl');
    expect(keep(p('srv/x.pem'))?.text).toBe('**/*.pem');
    expect(keep(p('etc/ssl/private/key'))).toBeNull();
    expect(keep(p('etc'))).toBeNull();
  });
});

describe('against an independent evaluation', () => {
  // Globs here are literal paths or PREFIX/**, so that an oracle needs no glob matcher.
  const name = fc.constantFrom('a', 'b', 'c');
  const place = fc.array(name, { minLength: 1, maxLength: 3 });
  const rule = fc.record({
    at: place,
    below: fc.boolean(),
    negated: fc.boolean(),
    group: fc.constantFrom(undefined, 'x', 'y'),
    only: fc.constantFrom(undefined, undefined, 'file' as const, 'symlink' as const),
  });
  it('the last rule that applies wins; ! of a group only within it', () => {
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 8 }),
        place,
        fc.constantFrom('file' as const, 'symlink' as const, 'directory' as const),
        (list, path, kind) => {
          const made = list.map(
            ({ at, below, negated, group, only }, index): Rule => ({
              text: `${negated ? '!' : ''}${at.join('/')}${below ? '/**' : ''}`,
              origin: `${index}`,
              negated,
              ...(group === undefined ? {} : { group }),
              ...(only === undefined ? {} : { only }),
            }),
          );
          const hit = ({ at, below, only }: (typeof list)[number]): boolean => {
            if (only !== undefined && only !== kind) return false;
            const self = below ? path.length > at.length : path.length === at.length;
            const covered = only === undefined && path.length > at.length;
            return at.every((part, i) => path[i] === part) && (self || covered);
          };
          // A positive rule survives unless a later ! rule that may undo it applies.
          const survivors = list.flatMap((positive, index) =>
            !positive.negated &&
            hit(positive) &&
            !list
              .slice(index + 1)
              .some(
                (later) =>
                  later.negated &&
                  hit(later) &&
                  (later.group === undefined || later.group === positive.group),
              )
              ? [index]
              : [],
          );
          expect(createMatcher(made)(p(path.join('/')), kind)?.origin ?? null).toBe(
            survivors.at(-1)?.toString() ?? null,
          );
        },
      ),
      { numRuns: 3000 },
    );
  });
});
