import { execFile } from 'node:child_process';
import { link, lstat, mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { temporaryMark } from '../../../src/files/temporary.ts';
import { updateIndex } from '../../../src/store/layout/layout-update.ts';
import { callCli } from '../../support/cli.ts';
import { writeLayout } from '../../support/image-builder.ts';
import { never } from '../../support/registry/setup.ts';
import { deadMark, listFiles, newFolder, refused, smallImage, target } from '../../support/store/local.ts';

const image = smallImage();
const old = new Date(2001, 1, 1);

/** What may stand in the place of a lock without being one: how it is made, and what the error calls it. */
const strangers: readonly (readonly [what: string, make: (path: string) => Promise<unknown>])[] = [
  ['a folder', (path) => mkdir(path)],
  ['a symbolic link', (path) => symlink('/etc/passwd', path)],
  ['a symbolic link', (path) => symlink('nowhere', path)],
  ['a named pipe', (path) => promisify(execFile)('mkfifo', [path])],
  ['a socket', listenAt],
  ['an empty file', (path) => writeFile(path, '')],
  ['a file that ocislim did not write', (path) => writeFile(path, 'my notes\n')],
  ['a file that ocislim did not write', (path) => writeFile(path, `${temporaryMark()}\n`)],
  ['a file that ocislim did not write', (path) => writeFile(path, Buffer.alloc(1_000_000))],
];

async function listenAt(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  server.unref();
}

/** Makes a layout with something else in the place of its lock. It is old, so that its age is not what saves it. */
async function layoutWith(make: (path: string) => Promise<unknown>) {
  const folder = await newFolder();
  await writeLayout(folder, { v1: image });
  const path = join(folder, '.ocislim.lock');
  await make(path);
  if ((await lstat(path)).isFile()) await utimes(path, old, old);
  return { folder, path };
}

describe('what stands in the place of a lock is an error that says what it is, and stays', () => {
  test.each(strangers)('the error names %s', async (what, make) => {
    const { folder, path } = await layoutWith(make);
    const before = await lstat(path);
    const told = await refused(
      'IO',
      updateIndex(folder, (rows) => rows, never),
    );
    expect(told).toContain(`.ocislim.lock there is ${what}, not a lock`);
    const after = await lstat(path);
    expect([after.ino, after.mode, after.size]).toEqual([before.ino, before.mode, before.size]);
    expect((await listFiles(folder)).filter((name) => name.includes('partial'))).toEqual([]);
  });
});

test('it is found before the work, when the layout is opened', async () => {
  const { folder, path } = await layoutWith((at) => mkdir(at));
  expect(await refused('IO', target(`oci:${folder}:v2`))).toContain('is a folder, not a lock');
  const { status, stderr } = await callCli(['copy', `oci:${folder}:v1`, `oci:${folder}:v2`]);
  expect([status, stderr]).toEqual([1, expect.stringContaining(`remove or rename it: ${path}`)]);
});

test('a lock that is too old is taken, of another machine too', async () => {
  const ofAnother = '123-456-00000000-0123456789abcdef';
  for (const mark of [await deadMark(), ofAnother]) {
    const { folder } = await layoutWith((path) => writeFile(path, mark));
    await updateIndex(folder, (rows) => [...rows, { digest: 'ours' }], never);
    expect(await readFile(join(folder, 'index.json'), 'utf8')).toContain('ours');
  }
});

test('a wait for a lock that lives ends with the run', async () => {
  const { folder, path } = await layoutWith((at) => writeFile(at, temporaryMark()));
  await utimes(path, new Date(), new Date());
  const stop = new AbortController();
  const waiting = updateIndex(folder, (rows) => rows, stop.signal);
  waiting.catch(() => {});
  const reason = new Error('enough');
  stop.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  // A second name for it does not make it another lock.
  await link(path, `${path}.copy`);
  expect(await readFile(path, 'utf8')).toBe(await readFile(`${path}.copy`, 'utf8'));
});
