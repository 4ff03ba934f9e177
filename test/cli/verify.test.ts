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
  const proved = `${after} has the root filesystem and configuration of ${before}, less the 1 path and with the 2 changes of ${report}`;
  expect(verified.stdout.trimEnd().split('\n').at(-1)).toBe(proved);
  const json = await callCli(['verify', before, after, '--removed-by', report, '--format', 'json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ equal: true, verdict: 'less', proved });
});

test('the last sentence says what was proved, and no more', async () => {
  const [app, copied, packed] = [scene.at('app'), scene.at('copied'), scene.at('packed')];
  await scene.run('copy', app, copied);
  await scene.run('recompress', app, packed, '--compression', 'zstd');
  await scene.run('prune', app, scene.at('globbed'), '--rule', 'var/log/*');
  const lastLine = async (...args: string[]) =>
    (await callCli(['verify', ...args])).stdout.trimEnd().split('\n').at(-1);
  expect(await lastLine(app, copied)).toBe(`${copied} is identical to ${app}`);
  expect(await lastLine(app, packed)).toBe(
    `${packed} has the same root filesystem and configuration as ${app}`,
  );
  expect(await lastLine(app, scene.at('globbed'))).toBe(`${scene.at('globbed')} is NOT ${app}`);
  expect(await lastLine(app, scene.at('globbed'), '--except', 'var/log/*')).toBe(
    `${scene.at('globbed')} has the root filesystem and configuration of ${app}, less the 1 path of --except`,
  );
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
