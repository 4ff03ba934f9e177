import { describe, expect, it } from 'vitest';
import { listedRule } from '../../../src/closure/rules/listed.ts';
import { traceRule } from '../../../src/closure/rules/trace.ts';
import { leftOutOf } from '../../../src/closure/left-out.ts';
import { closeOver } from '../../../src/closure/closure.ts';
import type { Granularity } from '../../../src/image/trace-pruning.ts';
import { file, inputOf, symlink, type Table } from '../rig.ts';

/** Returns all paths that stay of an image, with directories, but without those that every case needs. */
async function kept(image: Table, trace: Record<string, string>, granularity: Granularity = 'file') {
  const input = await inputOf({
    image: { ...image, '.used': 'x' },
    trace: { '.used': 'exec', ...trace },
    granularity,
  });
  const closure = closeOver(input, [traceRule, listedRule]);
  return [...closure.paths()].filter((path) => path !== '' && path !== '.used');
}

describe('a call that failed keeps what made it fail', () => {
  const image: Table = {
    'etc/secret': 'x',
    'etc/file': 'x',
    'a/loop': symlink('loop'),
    'a/link': symlink('../etc/file'),
    'a/dangling': symlink('nowhere/x'),
    'd/x': 'x',
  };

  it.each<[string, Record<string, string>, string[]]>([
    ['the path itself', { 'etc/secret': 'fail' }, ['etc', 'etc/secret']],
    ['a file in place of a directory', { 'etc/file/below/it': 'fail' }, ['etc', 'etc/file']],
    ['the same through a symlink', { 'a/link/below': 'fail' }, ['a', 'a/link', 'etc', 'etc/file']],
    ['a symlink that leads in a circle', { 'a/loop': 'fail' }, ['a', 'a/loop']],
    ['a directory without the name', { 'd/new': 'fail' }, ['d']],
    ['a dangling symlink', { 'a/dangling': 'failLink' }, ['a', 'a/dangling']],
    ['a directory', { d: 'failLink' }, ['d']],
    ['nothing that the image does not have', { 'x/y': 'fail' }, []],
  ])('such as %s', async (_, trace, expected) => {
    expect(await kept(image, trace)).toEqual(expected);
  });

  it('but not the package of the file', async () => {
    const input = await inputOf({ image, trace: { 'etc/secret': 'fail', 'd/x': 'open' } });
    const closure = closeOver(input, [traceRule]);
    expect(closure.usesOf('etc/secret' as never)).toBe(0);
    expect(closure.strengthOf('etc/secret' as never)).toBe('whole');
    expect(closure.strengthOf('d/x' as never)).toBe('needed');
  });
});

describe('a directory that was listed', () => {
  it('keeps its entries with their contents', async () => {
    const image: Table = {
      'opt/db/VERSION': '1',
      'opt/db/base/1': 'x',
      'opt/db/l': symlink('base/1'),
      'opt/other': 'x',
    };
    expect(await kept(image, { 'opt/db': 'list' })).toEqual([
      'opt',
      'opt/db',
      'opt/db/VERSION',
      'opt/db/base',
      'opt/db/base/1',
      'opt/db/l',
    ]);
    expect(await kept(image, { 'opt/db': 'stat' })).toEqual(['opt', 'opt/db']);
  });

  it('keeps the files in it, and empty directories, if all together are too large', async () => {
    const image: Table = { 'd/a': 'x', 'd/s/big': file(9_000_000), 'd/z': 'x' };
    for (const granularity of ['file', 'package', 'directory'] as const)
      expect(await kept(image, { d: 'list' }, granularity)).toEqual(['d', 'd/a', 'd/s', 'd/z']);
  });

  it('whose entries do not all stay is reported, unless an interpreter always lists it', async () => {
    const image: Table = {
      'd/a': file(9_000_000),
      'd/b': file(9_000_000),
      'd/s/x': file(1000),
      'e/x': 'x',
      'm/x.py': 'x',
      'm/y.py': 'x',
      '.used': 'x',
    };
    const input = await inputOf({
      image,
      trace: { '.used': 'exec', d: 'list', e: 'list', m: 'list' },
    });
    expect(leftOutOf(input, closeOver(input, [traceRule, listedRule]))).toEqual([
      { path: 'd', entries: 2, bytes: 9_001_000 },
    ]);
  });

  it('keeps one entry, if its files are too large, or if Python lists it anyway', async () => {
    const large: Table = { 'd/a': file(9_000_000), 'd/b': file(9_000_000) };
    expect(await kept(large, { d: 'list' })).toEqual(['d', 'd/a']);
    expect(await kept(large, { d: 'list', 'd/b': 'open' })).toEqual(['d', 'd/b']);
    const modules: Table = { 'app/a.txt': 'x', 'app/m.py': 'x', 'app/n.py': 'x' };
    expect(await kept(modules, { app: 'list', 'app/n.py': 'open' })).toEqual(['app', 'app/n.py']);
    const specifications: Table = {
      'gems/specifications/a.gemspec': 'x',
      'gems/specifications/b.gemspec': 'x',
    };
    expect(await kept(specifications, { 'gems/specifications': 'list' })).toEqual([
      'gems',
      'gems/specifications',
      'gems/specifications/a.gemspec',
    ]);
  });
});
