import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeWhole } from '../../src/files/whole-file.ts';
import { brokenStream, bytesStream, deadMark, listFiles, newFolder } from '../support/store/local.ts';

const { signal } = new AbortController();
const bytes = new TextEncoder().encode('whole');

test('a file is replaced only when the new one is whole', async () => {
  const folder = await newFolder();
  const file = join(folder, 'a.tar');
  await writeFile(file, 'old');
  await expect(writeWhole(file, brokenStream(bytes), signal)).rejects.toThrow('the line went dead');
  expect(await readFile(file, 'utf8')).toBe('old');
  await writeWhole(file, bytesStream(bytes), signal);
  expect(await readFile(file, 'utf8')).toBe('whole');
  expect(await listFiles(folder)).toEqual(['a.tar']);
});

test('T19: files of killed processes are removed, and names of unfinished files cannot be guessed', async () => {
  const folder = await newFolder();
  const file = join(folder, 'a.tar');
  await writeFile(`${file}.partial-${process.pid}`, 'not ours');
  await writeFile(`${file}.partial-${await deadMark()}`, 'left');
  let during: readonly string[] = [];
  const watched = (async function* () {
    yield bytes;
    while (during.length < 2) during = await listFiles(folder);
  })();
  await writeWhole(file, watched, signal);
  expect(during).toEqual([
    `a.tar.partial-${process.pid}`,
    expect.stringMatching(/^a\.tar\.partial-[0-9]+-[0-9]+-[0-9a-f]{8}-[0-9a-f]{16}$/),
  ]);
  expect(await listFiles(folder)).toEqual(['a.tar', `a.tar.partial-${process.pid}`]);
});

test('a pipe or a device is written to, not replaced', async () => {
  const folder = await newFolder();
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const read = readFile(pipe, 'utf8');
  await writeWhole(pipe, bytesStream(bytes), signal);
  expect(await read).toBe('whole');
  expect((await stat(pipe)).isFIFO()).toBe(true);
  // As a link, so that a mistake here costs the link, and not the device.
  const device = join(folder, 'null');
  await symlink('/dev/null', device);
  await writeWhole(device, bytesStream(bytes), signal);
  expect(await readlink(device)).toBe('/dev/null');
  expect((await stat(device)).isCharacterDevice()).toBe(true);
});

test('a wait for the reader of a pipe ends with the signal', async () => {
  const pipe = join(await newFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const stop = new AbortController();
  const writing = writeWhole(pipe, bytesStream(bytes), stop.signal);
  stop.abort(new Error('enough'));
  await expect(writing).rejects.toThrow('enough');
});

test('so does a wait for a reader that does not read on', async () => {
  const pipe = join(await newFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const stop = new AbortController();
  const endless = (async function* () {
    for (let written = 0; ; written += 65_536) {
      // More than a pipe holds.
      if (written > 0) stop.abort(new Error('enough'));
      yield new Uint8Array(65_536);
    }
  })();
  await expect(writeWhole(pipe, endless, stop.signal)).rejects.toThrow('enough');
  closeSync(reader);
});

test('a symbolic link is followed to its file', async () => {
  const folder = await newFolder();
  await mkdir(join(folder, 'real'));
  await writeFile(join(folder, 'real', 'a.tar'), 'old');
  await symlink('real/a.tar', join(folder, 'a.tar'));
  await writeWhole(join(folder, 'a.tar'), bytesStream(bytes), signal);
  expect(await readlink(join(folder, 'a.tar'))).toBe('real/a.tar');
  expect(await readFile(join(folder, 'real', 'a.tar'), 'utf8')).toBe('whole');
});

test('errors name the file', async () => {
  const folder = await newFolder();
  await expect(writeWhole(join(folder, 'no', 'a.tar'), bytesStream(bytes), signal)).rejects.toMatchObject({
    code: 'IO',
    message: `cannot write ${join(folder, 'no', 'a.tar')}: no such file or directory`,
  });
  await expect(writeWhole(folder, bytesStream(bytes), signal)).rejects.toMatchObject({ code: 'IO' });
});
