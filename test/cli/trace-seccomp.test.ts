import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'ocislim-seccomp-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/traces/strace/${name}`, import.meta.url));

test('a profile goes to a file, or to stdout', async () => {
  const file = join(folder, 'profile.json');
  const written = await callCli(['trace', 'seccomp', fixture('f-all.txt'), '-o', file]);
  expect(written).toMatchObject({ status: 0, stdout: '' });
  expect(written.stderr).toMatch(
    /^\d+ system calls from \S+f-all\.txt, \d+ for the container runtime and the vDSO\n$/,
  );
  const shown = await callCli(['trace', 'seccomp', fixture('f-all.txt'), fixture('f-all.txt')]);
  expect(shown.status).toBe(0);
  expect(shown.stdout).toBe(readFileSync(file, 'utf8'));
  expect(JSON.parse(shown.stdout)).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO' });
});

test('traces without all calls, files that are not there and unknown actions are refused', async () => {
  const some = await callCli(['trace', 'seccomp', fixture('f-all.txt'), fixture('f.txt')]);
  expect(some).toMatchObject({ status: 2, stdout: '' });
  expect(some.stderr).toContain('does not hold every system call');
  expect(some.stderr).toContain('strace -f -o app.strace');
  const gone = await callCli(['trace', 'seccomp', join(folder, 'gone')]);
  expect(gone.stderr).toContain('it does not exist [USAGE]');
  const nowhere = await callCli(['trace', 'seccomp', fixture('f-all.txt'), '-o', join(folder, 'no/such')]);
  expect(nowhere.stderr).toMatch(/cannot write \S+no\/such: there is no folder .*\[IO\]/);
  expect(await callCli(['trace', 'selinux', 'x'])).toMatchObject({ status: 2 });
});
