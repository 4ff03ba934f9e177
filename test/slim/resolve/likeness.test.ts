import { describe, expect, test } from 'vitest';
import { compareLikeness, likenessOf } from '../../../src/slim/resolve/likeness.ts';
import { p } from '../../support/bytes.ts';

const sorted = (...paths: string[]) =>
  paths
    .map((path) => likenessOf('file', p(path)))
    .sort(compareLikeness)
    .map(({ path }) => path);

describe('likeness', () => {
  test('links and devices first, programs before libraries, what is packed already last', () => {
    const entries = [
      likenessOf('file', p('usr/share/icons/a.png')),
      likenessOf('file', p('usr/share/x/README')),
      likenessOf('file', p('usr/lib/libz.so.1.2')),
      likenessOf('file', p('usr/bin/tool')),
      likenessOf('symlink', p('usr/lib/libz.so.1')),
      likenessOf('char', p('dev/null')),
    ];
    expect(entries.sort(compareLikeness).map(({ path }) => path)).toEqual([
      'dev/null',
      'usr/lib/libz.so.1',
      'usr/bin/tool',
      'usr/lib/libz.so.1.2',
      'usr/share/x/README',
      'usr/share/icons/a.png',
    ]);
  });

  test('files of one kind by base name, then path: copies of a file stand side by side', () => {
    expect(sorted('a/z.js', 'b/a.js', 'c/z.js', 'a/m.js', 'a/a.py')).toEqual([
      'a/a.py',
      'b/a.js',
      'a/m.js',
      'a/z.js',
      'c/z.js',
    ]);
  });

  test.each([
    ['usr/lib/libc.so.6', 'usr/lib/python3/lib.cpython-311-x86_64-linux-gnu.so'],
    ['usr/share/man/man1/ls.1', 'usr/share/man/de/man8/mount.8'],
    ['a/PAGE.HTML', 'b/page.html'],
    ['bin/sh', 'usr/sbin/nginx'],
    ['opt/.hidden', 'opt/Makefile'],
  ])('%s and %s are of one kind', (a, b) => {
    const [one, other] = [likenessOf('file', p(a)), likenessOf('file', p(b))];
    expect([one.group, one.kind]).toEqual([other.group, other.kind]);
  });

  test.each([
    ['usr/share/man/man1/ls.1', 'usr/share/man/man1/ls.1.gz'],
    ['bin/run.sh', 'bin/run'],
    ['lib/a.so', 'lib/a.sort'],
    ['home/man1.txt', 'usr/man/man1/x'],
  ])('%s and %s are not', (a, b) => {
    const [one, other] = [likenessOf('file', p(a)), likenessOf('file', p(b))];
    expect([one.group, one.kind]).not.toEqual([other.group, other.kind]);
  });

  test('names are bytes: no locale decides', () => {
    expect(sorted('a\xe9', 'aZ', 'aa')).toEqual(['aZ', 'aa', 'a\xe9']);
  });
});
