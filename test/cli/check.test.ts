import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { check } from '../../src/commands/index.ts';
import { verdictSchema } from '../../src/report/verdict/schema.ts';
import { callCli, runCli } from '../support/cli.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import { tar } from '../support/model/shorthand.ts';
import { Scene } from '../support/scene.ts';

const scene = new Scene();
const layers = [
  tar('etc/a=1', 'root/.ssh/id_rsa=key'),
  tar('etc/a=22'),
  tar('etc/b=3', 'root/.ssh/.wh.id_rsa'),
];
const history = ['COPY . /', 'RUN /bin/sh -c sudo make # buildkit', 'RUN rm /root/.ssh/id_rsa'];
const app = buildImage({
  layers,
  config: {
    config: { User: '1000', Labels: { maintainer: 'me' } },
    history: history.map((created_by) => ({ created_by })),
  },
});
const base = buildImage({ layers: layers.slice(0, 1) });
const other = buildImage({ layers: [tar('other')] });

beforeAll(() => scene.open({ app, base, other, both: buildIndex({ images: [base, other] }) }));
afterAll(() => scene.close());

test('exits with 3 where a gate is not met, and with 0 where all are', async () => {
  const failed = await callCli(['check', scene.at('app'), '--max-layers', '2']);
  expect(failed.status).toBe(3);
  expect(failed.stdout).toMatch(/^error: layers: there are 3 layers, more than 2 \| fix: .*ocislim squash/);
  expect(failed.stdout).toMatch(/failed 1 of 1 gate \(gates of options\)\n$/);
  const passed = await callCli([
    'check',
    scene.at('app'),
    '--max-layers',
    '3',
    '--require-label',
    'maintainer',
  ]);
  expect([passed.status, passed.stdout]).toEqual([
    0,
    `${scene.at('app')} passed 2 gates (gates of options)\n`,
  ]);
});

test('finds the file of the working directory, in which options stand in for single gates', async () => {
  const cwd = scene.path('here');
  mkdirSync(cwd);
  writeFileSync(`${cwd}/.dive-ci`, 'rules:\n  lowestEfficiency: 1.0\n  highestUserWastedPercent: 1\n');
  const old = await runCli(['check', scene.at('app')], { cwd });
  expect(old.status, old.stderr).toBe(3);
  expect(old.stdout).toContain('lowest-efficiency: the efficiency of dive is');
  expect(old.stdout).toContain('(gates of .dive-ci)');
  writeFileSync(`${cwd}/.ocislim.yaml`, 'version: 1\ncheck:\n  layers: 1\nwarn:\n  dockerfile: [sudo]\n');
  const own = await runCli(['check', scene.at('app'), '--max-layers', '5'], { cwd });
  expect(own.status, own.stderr).toBe(0);
  expect(own.stdout).toMatch(/^warning: dockerfile: sudo: RUN sudo make uses sudo/);
  expect(own.stdout).toContain('passed 2 gates, 1 warning (gates of .ocislim.yaml and options)');
  writeFileSync(`${cwd}/.ocislim.yaml`, 'version: 1\nchecks: {}\n');
  const broken = await runCli(['check', scene.at('app')], { cwd });
  expect(broken.status).toBe(2);
  expect(broken.stderr).toMatch(/\.ocislim\.yaml:2: checks: there is no such key \[GATES_INVALID\]/);
});

test('without a file and options asks what dive asks, and for secrets', async () => {
  const { status, stdout } = await runCli(['check', scene.at('app'), '--format', 'json'], {
    cwd: scene.folder,
  });
  const { gates, origin, passed } = verdictSchema.parse(JSON.parse(stdout));
  expect(gates.map(({ id, level }) => `${id} ${level}`)).toEqual([
    'lowest-efficiency error',
    'highest-user-wasted-percent error',
    'secrets error',
    'non-root warning',
    'dockerfile warning',
  ]);
  expect([origin, passed, status]).toEqual(['defaults', false, 3]);
});

test('compares the lowest layers with those of base images, for the platform of the image', async () => {
  const on = (...names: readonly string[]) =>
    callCli(['check', scene.at('app'), ...names.flatMap((name) => ['--allow-base', scene.at(name)])]);
  expect((await on('base')).status).toBe(0);
  expect((await on('other', 'base')).status).toBe(0);
  const { status, stdout } = await on('other');
  expect([status, stdout.split('\n')[0]]).toEqual([
    3,
    expect.stringContaining('base-images: the lowest layers are of no allowed base image'),
  ]);
  expect((await on('missing')).status).toBe(1);
});

test('writes formats to files, with the lines on standard error, and the summary of a job if asked', async () => {
  const [sarif, summary] = [scene.path('check.sarif'), scene.path('summary.md')];
  writeFileSync(summary, 'before\n');
  const line = ['check', scene.at('app'), '--max-layers', '1', '--format', 'sarif', '-o', sarif];
  const env = { GITHUB_STEP_SUMMARY: summary };
  const { status, stdout, stderr } = await callCli([...line, '--step-summary'], env);
  expect([status, stdout]).toEqual([3, '']);
  expect(stderr).toContain('error: layers: there are 3 layers');
  expect(JSON.parse(readFileSync(sarif, 'utf8'))).toMatchObject({ version: '2.1.0' });
  expect(readFileSync(summary, 'utf8')).toMatch(/^before\n## Failed: oci:/);
  await callCli(line, env);
  expect(readFileSync(summary, 'utf8').match(/## Failed/g)).toHaveLength(1);
});

test('is there for programs, as plain data, and looks for no file', async () => {
  const config = { file: 'mine', policy: { check: { layers: 2 }, warn: {} }, ignored: [] };
  const judgement = await check(scene.at('app'), { config });
  expect(judgement.verdict.passed).toBe(false);
  expect(JSON.parse(JSON.stringify(judgement))).toEqual(judgement);
  expect((await check(scene.at('base'))).origin).toBe('defaults');
});

test.each([
  [['--lowest-efficiency', '90%'], 'Write 0.9.'],
  [['--max-size', 'big'], '--max-size: "big" is not a size'],
  [['--forbid-package', '<3'], 'names no package'],
  [['--format', 'xml'], 'Write junit.'],
  [['--config', 'missing.yaml'], 'missing.yaml'],
])('refuses %j', async (options, told) => {
  const { status, stderr } = await callCli(['check', scene.at('app'), ...options]);
  expect(status).toBe(2);
  expect(stderr).toContain(told);
});

test('takes the value of --config, which other commands have as a switch', async () => {
  const file = await scene.write('gates.yaml', bytesOf('version: 1\ncheck:\n  layers: 3\n'));
  const { stdout } = await scene.run('-q', 'check', '--config', file, scene.at('app'));
  expect(stdout).toContain('passed 1 gate ');
  expect((await scene.run('-q', 'inspect', '--config', scene.at('app'))).stdout).toContain('"User":"1000"');
});

test('a note that something in the file has no effect is a warning, which --strict makes an error', async () => {
  const file = await scene.write('.dive-ci', bytesOf('rules:\n  lowest-efficiency: 0.1\n'));
  const { status, stderr } = await callCli(['check', scene.at('other'), '--config', file]);
  expect(status).toBe(0);
  expect(stderr).toContain('dive does not read lowest-efficiency here');
  expect((await callCli(['check', scene.at('other'), '--config', file, '--strict'])).status).toBe(1);
});
