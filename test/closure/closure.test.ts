import { describe, expect, test } from 'vitest';
import { closeOver } from '../../src/closure/closure.ts';
import type { ClosureRule, Need } from '../../src/closure/rule.ts';
import { closureOf, inputOf, kept, reasons, symlink, type Table, wanting } from './rig.ts';
import { b, p } from '../support/bytes.ts';

/** A rule whose `follow` reads a table: path to what it needs. */
function following(name: string, table: Readonly<Record<string, Need>>): ClosureRule {
  return {
    name,
    describe: 'What the test asks for.',
    *follow(path) {
      const need = table[path];
      if (need !== undefined) yield need;
    },
  };
}

const merged: Table = {
  lib: symlink('usr/lib'),
  'usr/lib/x/': '',
  'usr/lib/x/libssl.so': symlink('libssl.so.3'),
  'usr/lib/x/libssl.so.3': 'ssl',
  'usr/lib/x/other': 'other',
};

describe('a need for', () => {
  test('a path keeps its ancestors, the symlinks on the way, and where they lead', async () => {
    expect(await kept({ image: merged }, [wanting('/lib/x/libssl.so')], { directories: true })).toEqual([
      'lib',
      'usr',
      'usr/lib',
      'usr/lib/x',
      'usr/lib/x/libssl.so',
      'usr/lib/x/libssl.so.3',
    ]);
  });

  test('a symlink itself keeps its target as a courtesy, which is not followed', async () => {
    const closure = await closureOf({ image: { ...merged, more: '' } }, [
      {
        name: 'link',
        describe: '',
        *roots() {
          yield { path: b('usr/lib/x/libssl.so'), detail: b('read as a link'), itself: true };
        },
      },
      following('next', { 'usr/lib/x/libssl.so.3': { path: b('more'), detail: b('') } }),
    ]);
    expect(closure.strengthOf(p('usr/lib/x/libssl.so'))).toBe('needed');
    expect(closure.strengthOf(p('usr/lib/x/libssl.so.3'))).toBe('courtesy');
    expect(closure.isKept(p('more'))).toBe(false);
  });

  test('a path with `..` behind a symlink keeps the target of the symlink, without which it would lead nowhere', async () => {
    const image = { link: symlink('c/d'), 'c/d/x': '', 'c/b': 'b' };
    expect(await kept({ image }, [wanting('link/../b')], { directories: true })).toEqual([
      'c',
      'c/b',
      'c/d',
      'link',
    ]);
  });

  test('a directory with its contents keeps where the symlinks in it lead', async () => {
    const image = { 'd/a/b': '', 'd/l': symlink('../e/f'), 'e/f': '', 'e/g': '' };
    const below: ClosureRule = {
      name: 'below',
      describe: '',
      *roots() {
        yield { path: b('d'), detail: b('all of it'), below: true };
      },
    };
    expect(await kept({ image }, [below])).toEqual(['d/a/b', 'd/l', 'e/f']);
  });

  test('a path through a dangling symlink keeps the symlink, and the directory of its target', async () => {
    const image = { 'var/log/access.log': symlink('/dev/stdout'), 'dev/': '' };
    expect(await kept({ image }, [wanting('var/log/access.log')], { directories: true })).toEqual([
      'dev',
      'var',
      'var/log',
      'var/log/access.log',
    ]);
  });

  test('a loop of symlinks keeps the loop, and ends', async () => {
    const image = { a: symlink('b'), b: symlink('a') };
    expect(await kept({ image }, [wanting('a')])).toEqual(['a', 'b']);
  });

  test('a missing path is a problem only if it is required, and is reported once', async () => {
    const rule: ClosureRule = {
      name: 'asks',
      describe: '',
      *roots() {
        yield { path: b('nothing'), detail: b('maybe') };
        yield { path: b('bin/gone'), detail: b('run'), required: true };
        yield { path: b('/bin/gone'), detail: b('run'), required: true };
      },
    };
    const { problems } = await closureOf({ image: { a: '' } }, [rule]);
    expect(problems).toEqual([
      { kind: 'missing', path: 'bin/gone', sentence: '"bin/gone" is not in the image (asks, run)' },
    ]);
  });
});

describe('strength', () => {
  const image = { a: '', b: '', c: '', d: '' };

  test('a path that is whole makes no other needed, and a courtesy keeps no other', async () => {
    const closure = await closureOf({ image }, [
      {
        name: 'r',
        describe: '',
        *roots() {
          yield { path: b('a'), detail: b(''), strength: 'whole' };
          yield { path: b('c'), detail: b(''), strength: 'courtesy' };
        },
      },
      following('f', {
        a: { path: b('b'), detail: b(''), required: true },
        b: { path: b('gone'), detail: b(''), required: true },
        c: { path: b('d'), detail: b('') },
      }),
    ]);
    expect(['a', 'b', 'c', 'd'].map((path) => closure.strengthOf(p(path)))).toEqual([
      'whole',
      'whole',
      'courtesy',
      null,
    ]);
    expect(closure.problems).toEqual([]);
  });

  test('a path that turns out to be needed is followed again, and gets the new reason', async () => {
    const seen: string[] = [];
    const closure = await closureOf({ image }, [
      {
        name: 'r',
        describe: '',
        *roots() {
          yield { path: b('a'), detail: b('part of it'), strength: 'whole' };
          yield { path: b('c'), detail: b('wanted') };
        },
      },
      following('f', { a: { path: b('b'), detail: b('x') }, c: { path: b('a'), detail: b('used') } }),
      {
        name: 'watch',
        describe: '',
        follow(path, context) {
          seen.push(`${path} ${context.strengthOf(path)}`);
          return [];
        },
      },
    ]);
    expect(seen.filter((line) => /^[ab] /.test(line))).toEqual([
      'a whole',
      'b whole',
      'a needed',
      'b needed',
    ]);
    expect(closure.chain(p('b')).map(({ path, rule }) => `${path} ${rule}`)).toEqual(['b f', 'a f', 'c r']);
  });

  test('a directory stays as strongly as the strongest of its contents', async () => {
    const closure = await closureOf({ image: { 'd/e/x': '', 'd/y': '' } }, [
      {
        name: 'r',
        describe: '',
        *roots() {
          yield { path: b('d/e/x'), detail: b(''), strength: 'courtesy' };
          yield { path: b('d/y'), detail: b('') };
        },
      },
    ]);
    expect([closure.strengthOf(p('d')), closure.strengthOf(p('d/e'))]).toEqual(['needed', 'courtesy']);
  });
});

test('settle is called until no rule has a new path', async () => {
  const image = { a: '', b: '', c: '' };
  const next: Readonly<Record<string, string>> = { a: 'b', b: 'c' };
  const rule: ClosureRule = {
    name: 'settles',
    describe: '',
    *settle(context) {
      for (const [from, to] of Object.entries(next))
        if (context.isKept(p(from))) yield { path: b(to), detail: b(from) };
    },
  };
  expect(await kept({ image }, [wanting('a'), rule])).toEqual(['a', 'b', 'c']);
});

describe('explain', () => {
  test('gives the reasons from a path up to a root', async () => {
    const image = { 'usr/bin/nginx': '', lib: symlink('usr/lib'), 'usr/lib/libssl.so.3': '' };
    const rules = [
      wanting('usr/bin/nginx'),
      following('elf-needed', {
        'usr/bin/nginx': { path: b('lib/libssl.so.3'), detail: b('needed as libssl.so.3') },
      }),
    ];
    expect(await reasons({ image }, rules, 'usr/lib/libssl.so.3')).toEqual([
      'usr/lib/libssl.so.3: elf-needed, needed as libssl.so.3, for usr/bin/nginx',
      'usr/bin/nginx: root, wanted',
    ]);
    expect(await reasons({ image }, rules, 'usr/lib')).toEqual([
      'usr/lib: ancestor, directory, for usr/lib/libssl.so.3',
      'usr/lib/libssl.so.3: elf-needed, needed as libssl.so.3, for usr/bin/nginx',
      'usr/bin/nginx: root, wanted',
    ]);
    expect(await reasons({ image: { ...image, x: '' } }, rules, 'x')).toEqual([]);
  });
});

describe('a trace', () => {
  test('without a file of the image is refused', async () => {
    const input = await inputOf({
      image: { 'usr/bin/a': '' },
      trace: { usr: 'list', 'var/lib/docker/a': 'exec' },
    });
    expect(() => closeOver(input, [])).toThrowError(
      expect.objectContaining({
        code: 'TRACE_INVALID',
        message: expect.stringContaining('2 paths in app.trace'),
      }),
    );
  });

  test('gives its uses to the targets of symlinks, except those that meant the symlinks themselves', async () => {
    const { traced, usesOf } = await closureOf(
      { image: { a: '', l: symlink('a') }, trace: { a: 'open', l: 'link exec', gone: 'open' } },
      [],
    ).then((closure) => ({ traced: closure.traced, usesOf: (path: string) => closure.usesOf(p(path)) }));
    expect(traced).toEqual({ found: 2, total: 3 });
    expect([usesOf('a'), usesOf('l'), usesOf('gone')]).toEqual([1 | 2, 32, 0]);
  });
});
