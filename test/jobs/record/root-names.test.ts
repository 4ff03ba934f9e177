import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRootNames, type RootNames } from '../../../src/jobs/record/root-names.ts';
import { b } from '../../support/bytes.ts';

let root: string;
let names: RootNames;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocislim-names-'));
  for (const folder of ['usr/bin', 'proc/1', 'a']) await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, 'usr/bin/app'), '');
  await writeFile(Buffer.concat([Buffer.from(`${root}/a/`), Buffer.from([0xff])]), '');
  await symlink('usr/bin', join(root, 'bin'));
  await symlink('/usr', join(root, 'a/up'));
  await symlink('circle', join(root, 'circle'));
  await symlink('nowhere', join(root, 'dangling'));
  names = await readRootNames(root, new AbortController().signal);
  // What comes later is not among them.
  await writeFile(join(root, 'usr/bin/made'), '');
});
afterAll(() => rm(root, { recursive: true }));

it.each([
  ['usr/bin/app', true],
  ['bin/app', true],
  ['a/up/bin/app', true],
  ['a/../bin/./app', true],
  ['../../usr', true],
  ['a/\xff', true],
  ['usr/bin/made', false],
  ['usr/none', false],
  ['circle', false],
  ['circle/x', false],
  ['dangling', false],
  ['proc/1', false],
])('the root has %s: %s', (path, has) => {
  expect(names.has(b(path))).toBe(has);
});
