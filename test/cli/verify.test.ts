import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage, openLayout, readImageFrom, writeLayout } from '../support/image-builder.ts';
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

test('the report of --dedupe-hardlink covers the links that it names; a dry run names the same', async () => {
  const [before, after] = [`oci:${folder}/layout:twins`, `oci:${folder}/layout:linked`];
  const tar = writeTar(['b/copy=same', 'a=same', 'b/caf\xe9=same', 'other=different'].map(specOf));
  await writeLayout(join(folder, 'layout'), { twins: buildImage({ layers: [tar] }) });
  const report = join(folder, 'linked.json');
  const options = ['--all', '--order', 'similar', '--dedupe-hardlink'];
  const squashed = await callCli(['squash', before, after, ...options, '--report', report]);
  expect(squashed.status, squashed.stderr).toBe(0);
  expect(squashed.stderr).toContain('2 files made hard links to others that are the same');
  const linked = {
    files: 2,
    bytes: 8,
    links: [
      { path: 'b/caf\\xe9', pathBase64: 'Yi9jYWbp', layer: 1, to: 'a', size: 4 },
      { path: 'b/copy', layer: 1, to: 'a', size: 4 },
    ],
  };
  expect(JSON.parse(await readFile(report, 'utf8')).platforms[0].slimming.linked).toEqual(linked);
  const dry = await callCli(['squash', before, '--dry-run', ...options, '--format', 'json']);
  expect(JSON.parse(dry.stdout).platforms[0].slimming.linked).toEqual(linked);
  const plainly = await callCli(['verify', before, after]);
  expect(plainly.status).toBe(3);
  expect(plainly.stdout).toContain('2 differences');
  const verified = await callCli(['verify', before, after, '--removed-by', report]);
  expect(verified.stdout + verified.stderr).toContain('the same');
  expect(verified.status).toBe(0);
});

test('a plan arranges as the options do', async () => {
  const plan = join(folder, 'plan.yaml');
  await writeFile(plan, 'version: 1\narrange: { order: similar, dedupeHardlink: true, layers: 1.. }\n');
  const planned = await callCli([
    'slim',
    `oci:${folder}/layout:twins`,
    `oci:${folder}/layout:planned`,
    '-f',
    plan,
  ]);
  expect(planned.status, planned.stderr).toBe(0);
  const named = ['--layers', '1..', '--rule', 'nothing', '--order', 'similar', '--dedupe-hardlink'];
  const pruned = await callCli([
    'prune',
    `oci:${folder}/layout:twins`,
    `oci:${folder}/layout:pruned`,
    ...named,
  ]);
  expect(pruned.status, pruned.stderr).toBe(0);
  const layers = await Promise.all(
    ['planned', 'pruned', 'linked'].map(async (tag) =>
      readImageFrom(await openLayout(join(folder, 'layout'), tag)).manifest.layers.map(
        ({ digest }) => digest,
      ),
    ),
  );
  expect(layers[1]).toEqual(layers[0]);
  expect(layers[2]).toEqual(layers[0]);
});
