import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import {
  isAbandoned,
  makeTemporaryFolder,
  openAndUnlink,
  sweepTemporaries,
  sweepTemporaryFolders,
  temporaryMark,
  temporaryName,
} from '../../src/files/temporary.ts';
import { deadMark, listFiles, newFolder } from '../support/store/local.ts';

const original = process.env['TMPDIR'];
afterEach(() => {
  if (original === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = original;
});

const [pid = '', start = '', machine = ''] = temporaryMark().split('-');
const random = '0123456789abcdef';

/** A process that lives until the test ends it, with the moment of its start. */
async function living(): Promise<{ mark: string; end: () => Promise<void> }> {
  const child = spawn(
    'sh',
    ['-c', 'read -r line < /proc/self/stat; echo "$line" | cut -d" " -f22; exec sleep 60'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const [began] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    mark: `${child.pid}-${began.toString().trim()}-${machine}-${random}`,
    end: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

test('marks differ each time, and tell whether their process still runs', async () => {
  expect(temporaryMark()).not.toBe(temporaryMark());
  expect(temporaryMark()).toMatch(/^[0-9]+-[0-9]+-[0-9a-f]{8}-[0-9a-f]{16}$/);
  expect(isAbandoned(temporaryMark())).toBe(false);
  const dead = await deadMark();
  expect(isAbandoned(dead)).toBe(true);
  expect(isAbandoned(dead.replace(machine, '00000000'))).toBe(false);
  expect(isAbandoned('nonsense')).toBe(false);
});

test('T19: a process with the number of an ended one does not count as that one', async () => {
  const { mark, end } = await living();
  expect(isAbandoned(mark)).toBe(false);
  expect(isAbandoned(mark.replace(/-[0-9]+-/, '-1-'))).toBe(true);
  expect(isAbandoned(`${pid}-${Number(start) - 1}-${machine}-${random}`)).toBe(true);
  // Nothing told it when it began: its number has to do.
  expect(isAbandoned(`${pid}-0-${machine}-${random}`)).toBe(false);
  await end();
  expect(isAbandoned(mark)).toBe(true);
});

test('a zombie counts as ended', async () => {
  // `sleep` takes the shell's place, and does not ask after the child that it inherits.
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const mark = temporaryMark().replace(/^[0-9]+/, line.toString().trim());
  while (!isAbandoned(mark)) await new Promise(setImmediate);
  parent.kill();
  await once(parent, 'exit');
  expect(isAbandoned(mark)).toBe(true);
});

test('sweeping removes files of ended processes, and those of other machines that are a day old', async () => {
  const folder = await newFolder();
  const dead = await deadMark();
  const foreign = `blob.partial-1-1-00000000-${random}`;
  const fresh = `blob.partial-2-1-00000000-${random}`;
  const names = [
    temporaryName('blob'),
    `blob.partial-${dead}`,
    `other.partial-${dead}`,
    foreign,
    fresh,
    'blob.partial-mine',
    'blob',
  ];
  for (const name of names) await writeFile(join(folder, name), 'x');
  const old = new Date(Date.now() - 25 * 3600 * 1000);
  for (const name of names) if (name !== fresh) await utimes(join(folder, name), old, old);
  await sweepTemporaries(folder, (name) => name === 'blob');
  expect(await listFiles(folder)).toEqual(names.filter((_, i) => i !== 1 && i !== 3).toSorted());
  await sweepTemporaries(join(folder, 'none'), () => true);
});

test("T19: sweeping leaves another user's files alone, and follows no links", async () => {
  const folder = await newFolder();
  const dead = await deadMark();
  await mkdir(join(folder, 'other'));
  await writeFile(join(folder, 'other', 'precious'), 'x');
  await symlink('other', join(folder, `a.partial-${dead}`));
  const user = vi.spyOn(process, 'getuid').mockReturnValue(12_345);
  await sweepTemporaries(folder, () => true);
  user.mockRestore();
  expect(await readdir(folder)).toEqual([`a.partial-${dead}`, 'other']);
  await sweepTemporaries(folder, () => true);
  expect(await listFiles(folder)).toEqual(['other/precious']);
});

test('T19: a folder in TMPDIR is private, and the next run removes it if its process has ended', async () => {
  const folder = await newFolder();
  process.env['TMPDIR'] = folder;
  const path = await makeTemporaryFolder('verify');
  expect(statSync(path).mode & 0o777).toBe(0o700);
  await writeFile(join(path, 'blob'), 'x');
  const left = join(folder, `ocislim-registry.partial-${await deadMark()}`, 'blobs');
  await mkdir(left, { recursive: true });
  await writeFile(join(left, 'blob'), 'x');
  await mkdir(join(folder, `another.partial-${await deadMark()}`));
  await sweepTemporaryFolders();
  expect(await listFiles(folder)).toEqual([join(path, 'blob').slice(folder.length + 1)]);
});

test('the error for a folder that cannot be made names TMPDIR', async () => {
  process.env['TMPDIR'] = '/dev/null/nowhere';
  await expect(makeTemporaryFolder('verify')).rejects.toMatchObject({
    code: 'IO',
    message: 'cannot make a folder in /dev/null/nowhere: not a directory',
    advice: 'Set TMPDIR to a folder with room in it.',
  });
});

test('where files need a name they lose it at once, and no existing file is opened', async () => {
  const folder = await newFolder();
  const file = await openAndUnlink(join(folder, 'new'));
  await file.write('text');
  expect(await listFiles(folder)).toEqual([]);
  expect((await file.stat()).mode & 0o777).toBe(0o600);
  await file.close();
  await symlink('elsewhere', join(folder, 'there'));
  await expect(openAndUnlink(join(folder, 'there'))).rejects.toThrow('EEXIST');
  expect(await listFiles(folder)).toEqual(['there']);
});
