import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bin } from '../support/e2e/cli.ts';
import { type Ended, removeFolder, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';

// Root may do everything with any folder. An ordinary user may not: these tests run as one.

const user = 65534;
let work: string;

beforeAll(async () => {
  work = workFolder('extract');
  chmodSync(work, 0o777);
  const folder = (name: string, mode: number) => ({ name, type: 'dir', mode }) as const;
  const closed = tar(
    folder('closed', 0o555),
    folder('closed/in', 0o555),
    folder('closed/in/deep', 0),
    folder('top', 0o111),
    { name: 'closed/a', mode: 0, uid: 1000 },
    'closed/h->closed/a',
    { name: 'closed/in/b', mode: 0o444 },
    { name: 'su', mode: 0o4755 },
    { name: 'dev/null', type: 'char', devmajor: 1, devminor: 3 },
  );
  await writeLayout(join(work, 'layout'), { 1: buildImage({ layers: [closed] }) });
});
afterAll(() => removeFolder(work));

function extract(path: string, into: string, ...options: readonly string[]): Promise<Ended> {
  const words = ['extract', `oci:${join(work, 'layout')}:1`, path, into, '-q', ...options];
  const ids = ['--reuid', String(user), '--regid', String(user), '--clear-groups'];
  return runToEnd('setpriv', [...ids, '--', process.execPath, bin, ...words], {
    env: { HOME: '/nonexistent', TMPDIR: work },
  });
}

const modes = (folder: string, names: readonly string[]) =>
  names.map((name) => (lstatSync(join(folder, name)).mode & 0o7777).toString(8));
const names = ['closed', 'closed/in', 'closed/in/deep', 'closed/a', 'closed/h', 'closed/in/b', 'top', 'su'];
const granted = ['555', '555', '0', '0', '0', '444', '111', '755'];

it('an ordinary user gets folders that are closed even to their owner, in a new folder and in one that is there', async () => {
  const [fresh, there] = [join(work, 'fresh'), join(work, 'there')];
  mkdirSync(there);
  chmodSync(there, 0o777);
  for (const into of [fresh, there]) {
    const { status, stderr } = await extract('/', into);
    expect(status, stderr).toBe(0);
    expect(modes(into, names)).toEqual(granted);
    expect(lstatSync(join(into, 'closed/a')).uid).toBe(user);
    expect(readdirSync(join(into, 'dev'))).toEqual([]);
  }
  expect(readdirSync(there).toSorted()).toEqual(['closed', 'dev', 'su', 'top']);
});

it('nothing is left where the names are taken, closed folders neither', async () => {
  const taken = join(work, 'taken');
  mkdirSync(join(taken, 'top'), { recursive: true });
  chmodSync(taken, 0o777);
  const { status, stderr } = await extract('/', taken);
  expect([status, stderr]).toEqual([1, expect.stringContaining('it is a folder already') as string]);
  expect(readdirSync(taken)).toEqual(['top']);
});

it('what needs root is refused, with what to leave out', async () => {
  const into = join(work, 'refused');
  const owners = await extract('/', into, '--owners');
  expect([owners.status, owners.stderr]).toEqual([
    2,
    expect.stringContaining('--owners needs root') as string,
  ]);
  const devices = await extract('/', into, '--devices');
  expect([devices.status, devices.stderr]).toEqual([
    1,
    expect.stringContaining('without --devices') as string,
  ]);
  expect(readdirSync(work).filter((name) => name.includes('refused'))).toEqual([]);
});
