import { expect, it } from 'vitest';
import { keepRule } from '../../../src/closure/rules/keep.ts';
import { kept, symlink } from '../rig.ts';

const image = {
  bin: symlink('usr/bin'),
  'usr/bin/ls': 'x',
  'usr/bin/cat': 'x',
  'etc/a/b': 'x',
  'etc/c': 'x',
};

it('keeps the paths that globs match', async () => {
  expect(await kept({ image }, [keepRule(['usr/*/l*', 'etc/a'])])).toEqual(['etc/a/b', 'usr/bin/ls']);
});

it('keeps what a name without wildcards leads to, through symlinks of the image', async () => {
  expect(await kept({ image }, [keepRule(['/bin/ls'])])).toEqual(['bin', 'usr/bin/ls']);
  expect(await kept({ image }, [keepRule(['bin'])])).toEqual(['bin', 'usr/bin/cat', 'usr/bin/ls']);
});

it('keeps only the symlinks on the way to a missing path', async () => {
  expect(await kept({ image }, [keepRule(['bin/none'])])).toEqual(['bin']);
  expect(await kept({ image }, [keepRule(['bin/*', 'none'])])).toEqual([]);
});

it('follows a name through symlinks, too, where its wildcards are escaped', async () => {
  const withBracket = { bin: symlink('usr/bin'), 'usr/bin/[': 'x', 'usr/bin/a': 'x' };
  expect(await kept({ image: withBracket }, [keepRule([String.raw`/bin/\[`])])).toEqual(['bin', 'usr/bin/[']);
});
