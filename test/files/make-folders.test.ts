import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolders } from '../../src/files/make-folders.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-folders-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('folders are made from the topmost down, and only those that are missing', async () => {
  const made = new Set<string>();
  await makeFolders(join(folder, 'a'), { made });
  await makeFolders(join(folder, 'a/b/c'), { made, mode: 0o700 });
  await makeFolders(join(folder, 'a/b/c'), { made });
  expect([...made]).toEqual(['a', 'a/b', 'a/b/c'].map((path) => join(folder, path)));
  expect((await stat(join(folder, 'a/b'))).mode & 0o777).toBe(0o700);
});

test('many callers may make the same folders at once', async () => {
  const path = join(folder, 'x/y/z');
  await Promise.all(Array.from({ length: 8 }, () => makeFolders(path)));
  expect((await stat(path)).isDirectory()).toBe(true);
});

test('a link to a folder is a folder', async () => {
  await symlink(folder, join(folder, 'link'));
  await makeFolders(join(folder, 'link/a'));
  expect((await stat(join(folder, 'a'))).isDirectory()).toBe(true);
});

test.each([
  ['below a file', 'file/a', 'ENOTDIR'],
  ['that is a file', 'file', 'EEXIST'],
  ['that is a link to nothing', 'dangling', 'EEXIST'],
  ['below a link to nothing', 'dangling/a', 'EEXIST'],
])('a folder %s cannot be made: %s', async (_, path, code) => {
  await writeFile(join(folder, 'file'), '');
  await symlink(join(folder, 'nothing'), join(folder, 'dangling'));
  await expect(makeFolders(join(folder, path))).rejects.toMatchObject({ code });
});

test('a folder below /proc cannot be made, and that is said at once', async () => {
  await expect(makeFolders('/proc/ocislim/a/b')).rejects.toMatchObject({ code: 'ENOENT' });
});
