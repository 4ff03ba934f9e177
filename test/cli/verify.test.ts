import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-cli-'));
  const tar = writeTar([
    specOf('bin/'),
    { ...specOf('bin/su=program'), mode: 0o4755 },
    specOf('bin/also->bin/su'),
    { ...specOf('bin/plain=program'), mode: 0o755 },
    specOf('var/log/messages=long'),
  ]);
  await writeLayout(join(folder, 'layout'), { app: buildImage({ layers: [tar] }) });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the report of a prune covers what it removed and the bits that it cleared; without it both are differences', async () => {
  const [before, after] = [`oci:${folder}/layout:app`, `oci:${folder}/layout:pruned`];
  const report = join(folder, 'report.json');
  const pruned = await callCli(['prune', before, after, '--preset', 'setuid,logs', '--report', report]);
  expect(pruned.status, pruned.stderr).toBe(0);
  const plainly = await callCli(['verify', before, after]);
  expect(plainly.status).toBe(3);
  expect(plainly.stdout).toMatch(/bin\/su.*4755.*0755/);
  expect(plainly.stdout).toMatch(/bin\/also.*4755.*0755/);
  const verified = await callCli(['verify', before, after, '--removed-by', report]);
  expect(verified.stdout + verified.stderr).toMatch(/the same, .* removed as announced/);
  expect(verified.status).toBe(0);
});
