import { execFileSync } from 'node:child_process';
import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findFile, requireKind } from '../../src/files/found-file.ts';
import { newFolder, refused } from '../support/store/local.ts';

test('the kind of what a path leads to is found through links', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'file'), '');
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await mkdir(join(folder, 'folder'));
  for (const [target, kind] of [
    ['file', 'file'],
    ['pipe', 'pipe'],
    ['folder', 'folder'],
    ['/dev/null', 'device'],
    ['nothing', 'absent'],
  ] as const) {
    await symlink(target, join(folder, `to-${kind}`));
    expect((await findFile(join(folder, `to-${kind}`))).kind).toBe(kind);
  }
});

test('links are followed to a file that does not exist yet, from the folders that they stand in', async () => {
  const folder = await newFolder();
  await mkdir(join(folder, 'real', 'deep'), { recursive: true });
  await symlink('real/deep', join(folder, 'short'));
  await symlink('../b', join(folder, 'real', 'deep', 'a'));
  await symlink('deep/c', join(folder, 'real', 'b'));
  expect(await findFile(join(folder, 'short', 'a'))).toEqual({
    path: `${folder}/real/deep/c`,
    kind: 'absent',
    identity: null,
  });
});

test('all names of a file have one identity', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'file'), '');
  await link(join(folder, 'file'), join(folder, 'hard'));
  await symlink('hard', join(folder, 'soft'));
  const found = await Promise.all(['file', 'hard', 'soft'].map((name) => findFile(join(folder, name))));
  expect(new Set(found.map(({ identity }) => identity)).size).toBe(1);
  expect(found[0]?.identity).not.toBeNull();
});

test('links in a circle are an error, and so is a kind that was not asked for', async () => {
  const folder = await newFolder();
  await symlink('b', join(folder, 'a'));
  await symlink('a', join(folder, 'b'));
  await refused('IO', findFile(join(folder, 'a')));
  const found = await findFile(folder);
  expect(() => requireKind(found, ['file'])).toThrow(`cannot write ${folder}: it is a folder`);
});
