import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportSchema } from '../../src/report/schema.ts';
import { callCli, runCli } from '../support/cli.ts';
import { buildImage, buildIndex, writeLayout } from '../support/image-builder.ts';
import { readImage } from '../support/image-reader.ts';
import { type Short, specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

let folder = '';
let scratch = '';
const tar = (...entries: Short[]) => writeTar(entries.map(specOf));
const at = (tag: string, layout = 'layout') => `oci:${folder}/${layout}:${tag}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-cli-'));
  scratch = await mkdtemp(join(tmpdir(), 'ocislim-scratch-'));
  const docs = tar('usr/', 'usr/doc/', 'usr/doc/a=long', 'usr/doc/b->usr/doc/a');
  const app = tar('app=run', 'var/log=x');
  const image = buildImage({ layers: [docs, app] });
  const arm = buildImage({ layers: [docs, app], platform: { os: 'linux', architecture: 'arm64' } });
  await writeLayout(join(folder, 'layout'), { app: image, all: buildIndex({ images: [image, arm] }) });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await rm(scratch, { recursive: true, force: true });
});

const env = () => ({ TMPDIR: scratch });
const tags = async (layout = 'layout') =>
  (
    JSON.parse(await readFile(join(folder, layout, 'index.json'), 'utf8')) as {
      manifests: { annotations?: Record<string, string> }[];
    }
  ).manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name']);

test.each([
  ['prune', '--rule', 'usr/doc'],
  ['squash', '--all'],
  ['recompress', '--compression', 'zstd'],
  ['slim', '--preset', 'docs'],
])('--verify-with publishes what the command has seen: %s', async (command, ...options) => {
  const [plain, checked] = [at(`${command}-plain`), at(`${command}-checked`, 'checked')];
  const seen = join(folder, `seen-${command}`);
  const look = `printf '%s\\n' "$OCISLIM_DIGEST" "$OCISLIM_REFERENCE" > '${seen}'; test -s "$OCISLIM_LAYOUT/index.json"; echo out`;
  const first = await runCli([command, at('all'), plain, ...options]);
  expect(first.status, first.stderr).toBe(0);
  const result = await runCli([command, at('all'), checked, ...options, '--verify-with', look], {
    env: env(),
  });
  expect(result.status, result.stderr).toBe(0);
  const [digest = '', reference = ''] = (await readFile(seen, 'utf8')).split('\n');
  expect(result.stdout).toBe(`${checked}@${digest}\n`);
  expect(result.stderr).toMatch(/^out$/m);
  expect(reference).toMatch(new RegExp(`^oci:${scratch}/.*:image$`));
  expect(first.stdout).toBe(`${plain}@${digest}\n`);
  expect(await readdir(scratch)).toEqual([]);
});

test('a command that fails is a gate: exit 3, nothing published, nothing left', async () => {
  const failed = await runCli(
    ['prune', at('app'), at('never', 'nowhere'), '--rule', 'usr/doc', '--verify-with', 'echo no >&2; exit 7'],
    { env: env() },
  );
  expect(failed.status).toBe(3);
  expect(failed.stdout).toBe('');
  expect(failed.stderr).toMatch(/^no$/m);
  expect(failed.stderr).toContain('ended with status 7; nothing was published');
  await expect(readdir(join(folder, 'nowhere'))).rejects.toThrow('ENOENT');
  expect(await readdir(scratch)).toEqual([]);
});

test('an interruption reaches the command, and nothing is published', async () => {
  const mark = join(folder, 'interrupted');
  const wait = `trap 'echo yes > ${mark}; exit 1' INT; echo waiting >&2; while :; do sleep 0.05; done`;
  const result = await runCli(
    ['prune', at('app'), at('never', 'nowhere'), '--rule', 'usr/doc', '--verify-with', wait],
    { env: env(), interrupt: { when: 'waiting', signal: 'SIGINT' } },
  );
  expect(result.status).toBe(130);
  expect(await readFile(mark, 'utf8')).toBe('yes\n');
  await expect(readdir(join(folder, 'nowhere'))).rejects.toThrow('ENOENT');
  expect(await readdir(scratch)).toEqual([]);
});

test('what is written for docker load is verified with its plain layers, and is the same image', async () => {
  const archive = `docker-archive:${folder}/x.tar`;
  const seen = join(folder, 'seen');
  const look = `cp "$OCISLIM_LAYOUT/blobs/sha256/\${OCISLIM_DIGEST#sha256:}" ${seen}`;
  const { status, stderr } = await callCli([
    'prune',
    at('app'),
    archive,
    '--rule',
    'usr/doc',
    '--verify-with',
    look,
  ]);
  expect(status, stderr).toBe(0);
  const { layers } = JSON.parse(await readFile(seen, 'utf8')) as { layers: { mediaType: string }[] };
  expect(layers.map(({ mediaType }) => mediaType.replace(/^.*\./, ''))).toEqual(layers.map(() => 'tar'));
  const verified = await callCli([
    'verify',
    archive,
    at('app'),
    '--except',
    'usr/doc/**',
    '--except',
    'usr/doc',
  ]);
  expect(verified.status, verified.stderr).toBe(3);
  const same = await callCli(['verify', at('app'), archive, '--except', 'usr/doc/**', '--except', 'usr/doc']);
  expect(same.status, same.stderr).toBe(0);
});

test.each(['prune', 'slim'])(
  '%s --debug-tag puts all that was removed on top of the layers of the result',
  async (command) => {
    const report = join(folder, 'report.json');
    const options = command === 'prune' ? ['--rule', 'usr/doc'] : ['--preset', 'docs', '--rule', 'usr/doc'];
    const tag = `${command}-debug`;
    const { status, stdout, stderr } = await callCli([
      command,
      at('all'),
      at(command),
      ...options,
      '--debug-tag',
      tag,
      '--report',
      report,
    ]);
    expect(status, stderr).toBe(0);
    const { debug, destination } = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
    expect(stdout).toBe(`${at(command)}@${destination?.digest}\n`);
    expect(debug?.reference).toBe(at(tag));
    expect(stderr).toContain(`${at(tag)}@${debug?.digest}`);
    const layersOf = async (name: string) =>
      (await readImage(join(folder, 'layout'), { tag: name, platform: 'linux/arm64' })).manifest.layers;
    const slim = await layersOf(command);
    const whole = await layersOf(tag);
    expect(whole.slice(0, -1)).toEqual(slim);
    const verified = await callCli(['verify', at('all'), at(tag)]);
    expect(verified.status, verified.stdout).toBe(0);
  },
);

test('of an image that was pruned before, the debug image has what was removed this time, and names the first original', async () => {
  await callCli(['prune', at('app'), at('once'), '--rule', 'usr/doc']);
  const { status, stderr } = await callCli([
    'prune',
    at('once'),
    at('twice'),
    '--rule',
    'app',
    '--debug-tag',
    'twice-debug',
    '--verify-with',
    'true',
  ]);
  expect(status, stderr).toBe(0);
  const verified = await callCli(['verify', at('once'), at('twice-debug')]);
  expect(verified.status, verified.stdout).toBe(0);
  const restored = await callCli(['restore', at('twice-debug'), at('all-back')]);
  expect(restored.status, restored.stderr).toBe(0);
  expect((await callCli(['verify', at('app'), at('all-back')])).status).toBe(0);
});

test('a debug image that cannot be written is an error of its own status, and the slim image is named on stdout', async () => {
  const { status, stdout, stderr } = await callCli([
    'prune',
    at('app'),
    at('there'),
    '--rule',
    'usr/doc',
    '--debug-tag',
    `oci:${folder}/in-the-way:x`,
    '--verify-with',
    `touch ${folder}/in-the-way`,
  ]);
  expect(status, stderr).toBe(5);
  expect(stdout).toContain(at('there'));
  expect(stderr).toMatch(/published, but its debug image oci:.*:x was not written: .*\[PUBLISHED\]/);
  expect(await tags()).toContain('there');
});

test.each([
  ['slim', 'is the slim image itself'],
  [`app@sha256:${'0'.repeat(64)}`, 'needs a tag'],
])('--debug-tag %s is wrong usage', async (tag, message) => {
  const args = ['prune', at('app'), at('slim'), '--rule', 'usr/doc', '--debug-tag', tag];
  expect(await callCli(args)).toMatchObject({ status: 2, stderr: expect.stringContaining(message) });
});

test('beside an archive the debug image needs a file of its own', async () => {
  const archive = (name: string) => `oci-archive:${folder}/${name}.tar:1`;
  const args = ['prune', at('app'), archive('slim'), '--rule', 'usr/doc', '--debug-tag'];
  expect((await callCli([...args, 'debug'])).status).toBe(2);
  const { status, stderr } = await callCli([...args, archive('debug')]);
  expect(status, stderr).toBe(0);
  expect((await callCli(['verify', at('app'), archive('debug')])).status).toBe(0);
});
