import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAbandoned, sweepTemporaries, temporaryMark, temporaryName } from '../../src/store/temporary.ts';
import { listFiles, newFolder } from '../support/store/local.ts';

const withPid = (pid: number | undefined) => temporaryMark().replace(/^[0-9]+/, String(pid));

test('marks differ each time, and tell who lives', async () => {
  expect(temporaryMark()).not.toBe(temporaryMark());
  expect(isAbandoned(temporaryMark())).toBe(false);
  expect(isAbandoned(withPid(process.ppid))).toBe(false);
  const dead = spawn('true');
  await once(dead, 'exit');
  expect(isAbandoned(withPid(dead.pid))).toBe(true);
  expect(isAbandoned(`${dead.pid}-00000000-0123456789abcdef`)).toBe(false);
  expect(isAbandoned('nonsense')).toBe(false);
});

test('one that is dead but was never collected counts as dead', async () => {
  // `sleep` takes the shell's place, and does not ask after the child that it inherits.
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const mark = withPid(Number(line.toString()));
  while (!isAbandoned(mark)) await new Promise(setImmediate);
  parent.kill();
  await once(parent, 'exit');
  expect(isAbandoned(mark)).toBe(true);
});

test('sweeping takes what the dead left, and what is foreign and a week old; nothing else', async () => {
  const folder = await newFolder();
  const dead = spawn('true');
  await once(dead, 'exit');
  const foreign = 'blob.partial-1-00000000-0123456789abcdef';
  const fresh = 'blob.partial-2-00000000-0123456789abcdef';
  const names = [
    temporaryName('blob'),
    `blob.partial-${withPid(dead.pid)}`,
    `other.partial-${withPid(dead.pid)}`,
    foreign,
    fresh,
    'blob.partial-mine',
    'blob',
  ];
  for (const name of names) await writeFile(join(folder, name), 'x');
  const old = new Date(Date.now() - 8 * 24 * 3600 * 1000);
  for (const name of names) if (name !== fresh) await utimes(join(folder, name), old, old);
  await sweepTemporaries(folder, (name) => name === 'blob');
  expect(await listFiles(folder)).toEqual(names.filter((_, i) => i !== 1 && i !== 3).toSorted());
  await sweepTemporaries(join(folder, 'none'), () => true);
});
