import { expect, it } from 'vitest';
import { buildStack } from '../../../src/changeset/stack.ts';
import { restoreStack } from '../../../src/slim/resolve/restore-stack.ts';
import { indexOf } from '../../changeset/rig.ts';

const original = ['bin~>usr/bin', 'usr/bin/ls=1', 'usr/bin/cat=2', 'usr/bin/again->usr/bin/ls', 'etc/a=3'];

/** What comes back to an image that has nothing but `etc/a`. */
async function restored(...globs: string[]): Promise<string[]> {
  const indexes = new Map([
    [1, await indexOf('etc/a=3')],
    [2, await indexOf(...original)],
  ]);
  const stack = buildStack(indexes);
  const { changes } = restoreStack(stack, 1, globs, indexes);
  return changes.map(({ path }) => stack.table.paths[path] as string).sort();
}

it('brings back what a name leads to, through symlinks of the original, under all its names', async () => {
  expect(await restored('bin/ls')).toEqual(['bin', 'usr/bin/again', 'usr/bin/ls']);
});

it('brings back all below a directory that a name leads to', async () => {
  expect(await restored('/bin')).toEqual(['bin', 'usr/bin/again', 'usr/bin/cat', 'usr/bin/ls']);
});

it('brings back what globs match, which follow no symlink', async () => {
  expect(await restored('usr/bin/c*', 'bin/*')).toEqual(['usr/bin/cat']);
});
