import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage } from '../support/image-builder.ts';
import { specOf, tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

const scene = openScene(() => {
  const layer = tar(
    'bin/',
    { ...specOf('bin/su=program'), mode: 0o4755 },
    'bin/also->bin/su',
    { ...specOf('bin/plain=program'), mode: 0o755 },
    'var/log/messages=long',
  );
  return { app: buildImage({ layers: [layer] }) };
});

test('the report of a prune covers what it removed and the bits that it cleared; without it both are differences', async () => {
  const [before, after] = [scene.at('app'), scene.at('pruned')];
  const report = scene.path('report.json');
  await scene.run('prune', before, after, '--preset', 'setuid,logs', '--report', report);
  const plainly = await callCli(['verify', before, after]);
  expect(plainly.status).toBe(3);
  expect(plainly.stdout).toMatch(/bin\/su.*4755.*0755/);
  expect(plainly.stdout).toMatch(/bin\/also.*4755.*0755/);
  const verified = await callCli(['verify', before, after, '--removed-by', report]);
  expect(verified.stdout + verified.stderr).toMatch(/the same, .* removed as announced/);
  expect(verified.status).toBe(0);
});

test('the report of --dedupe-hardlink covers the links that it names; a dry run names the same', async () => {
  const [before, after] = [scene.at('twins'), scene.at('linked')];
  const layer = tar('b/copy=same', 'a=same', 'b/caf\xe9=same', 'other=different');
  await scene.writeLayout({ twins: buildImage({ layers: [layer] }) });
  const report = scene.path('linked.json');
  const options = ['--all', '--order', 'similar', '--dedupe-hardlink'];
  const squashed = await scene.run('squash', before, after, ...options, '--report', report);
  expect(squashed.stderr).toContain('2 files replaced by hard links to identical files');
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
  const arrange = '{ order: similar, dedupeHardlink: true, layers: 1.. }';
  const plan = await scene.write(
    'plan.yaml',
    `version: 1
arrange: ${arrange}
`,
  );
  await scene.run('slim', scene.at('twins'), scene.at('planned'), '-f', plan);
  const named = ['--layers', '1..', '--rule', 'nothing', '--order', 'similar', '--dedupe-hardlink'];
  await scene.run('prune', scene.at('twins'), scene.at('pruned'), ...named);
  const layers = await Promise.all(
    ['planned', 'pruned', 'linked'].map(async (tag) =>
      (await scene.read(tag)).manifest.layers.map(({ digest }) => digest),
    ),
  );
  expect(layers[1]).toEqual(layers[0]);
  expect(layers[2]).toEqual(layers[0]);
});
