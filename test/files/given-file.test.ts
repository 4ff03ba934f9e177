import { execFile, execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readGiven } from '../../src/files/given-file.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-given-'));
});
afterEach(() => rm(folder, { recursive: true }));

const never = new AbortController().signal;
const most = (bytes: number) => ({ limit: 'plan-bytes', limits: { 'plan-bytes': bytes } }) as const;

function makePipe(): string {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

test('a file is read whole, up to its limit', async () => {
  const path = join(folder, 'file');
  const bytes = Buffer.alloc(600_000, 'ab');
  await writeFile(path, bytes);
  expect(Buffer.from(await readGiven(path, most(600_000), never)).equals(bytes)).toBe(true);
  await expect(readGiven(path, most(599_999), never)).rejects.toMatchObject({ code: 'LIMIT' });
  await expect(readGiven(join(folder, 'none'), most(1), never)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(readGiven(folder, most(1), never)).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(readGiven('/dev/zero', most(600_000), never)).rejects.toMatchObject({ code: 'LIMIT' });
});

test('a pipe is read to its end', async () => {
  const path = makePipe();
  const read = readGiven(path, most(100), never);
  // Opening it waits for the reader.
  await promisify(execFile)('sh', ['-c', 'echo one > "$0"', path]);
  expect(Buffer.from(await read).toString()).toBe('one\n');
});

test('a wait for the other end of a pipe ends with the signal', async () => {
  const stop = new AbortController();
  const read = readGiven(makePipe(), most(100), stop.signal);
  stop.abort(new Error('enough'));
  await expect(read).rejects.toThrow('enough');
});

test('so does a wait for bytes of a pipe whose other end is silent', async () => {
  const path = makePipe();
  const stop = new AbortController();
  const read = readGiven(path, most(100), stop.signal);
  const silent = openSync(path, constants.O_RDWR);
  try {
    stop.abort(new Error('enough'));
    await expect(read).rejects.toThrow('enough');
  } finally {
    closeSync(silent);
  }
});
