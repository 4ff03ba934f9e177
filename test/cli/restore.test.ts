import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { reportSchema } from '../../src/report/schema.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, buildIndex, writeLayout } from '../support/image-builder.ts';
import { readImage } from '../support/image-reader.ts';
import { type Short, specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

let folder = '';
const tar = (...entries: Short[]) => writeTar(entries.map(specOf));
const at = (tag: string, layout = 'layout') => `oci:${folder}/${layout}:${tag}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-cli-'));
  const base = writeTar([
    specOf('bin/'),
    { ...specOf('bin/su=program'), mode: 0o4755 },
    specOf('bin/also->bin/su'),
    specOf('bin/sh=shell'),
  ]);
  const docs = tar('usr/', 'usr/doc/', 'usr/doc/a=long', 'usr/doc/b->usr/doc/a', 'usr/doc/c=short');
  const app = tar('app=run', 'var/log/messages=x');
  const image = buildImage({ layers: [base, docs, app] });
  const arm = buildImage({ layers: [docs, app], platform: { os: 'linux', architecture: 'arm64' } });
  const plain = buildImage({ layers: [app], platform: { os: 'linux', architecture: 's390x' } });
  const all = buildIndex({ images: [image, arm, plain] });
  await writeLayout(join(folder, 'layout'), { app: image, all, other: buildImage({ layers: [base] }) });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function succeed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await callCli(args);
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

async function reportOf(...args: string[]): Promise<Report> {
  const file = join(folder, 'report.json');
  await succeed(...args, '--report', file);
  return reportSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

const annotations = async (tag: string, layout = 'layout') =>
  ((await readImage(join(folder, layout), { tag })).manifest as { annotations?: Record<string, string> })
    .annotations;

test('a pruned image names its original, twice pruned the first one; squash, shadowed and recompress name none', async () => {
  await succeed('prune', at('app'), at('one'), '--rule', 'usr/doc');
  const original = (await readImage(join(folder, 'layout'), { tag: 'app' })).descriptor.digest;
  const origin = { 'io.ocislim.original.digest': original, 'io.ocislim.original.name': at('app') };
  expect(await annotations('one')).toEqual(origin);
  await succeed('prune', at('one'), at('two'), '--rule', 'var/log/**');
  expect(await annotations('two')).toEqual(origin);
  await succeed('squash', at('app'), at('squashed'), '--all');
  await succeed('prune', at('app'), at('shadowed'), '--shadowed');
  await succeed('recompress', at('app'), at('packed'), '--compression', 'zstd');
  for (const tag of ['squashed', 'shadowed', 'packed']) expect(await annotations(tag), tag).toBeUndefined();
  await succeed('prune', at('app'), at('cleared'), '--preset', 'setuid');
  expect(await annotations('cleared')).toEqual(origin);
});

test('everything comes back as one layer; the layers below stay, and the annotations go', async () => {
  await succeed('prune', at('app'), at('slim'), '--rule', 'usr/doc', '--preset', 'setuid');
  const report = await reportOf('restore', at('slim'), at('whole'));
  expect(report.platforms[0]?.restoring).toMatchObject({
    entries: 6,
    stillMissing: 0,
    paths: [
      { path: 'bin/also', type: 'hardlink' },
      { path: 'bin/su', type: 'file' },
      { path: 'usr/doc', type: 'directory' },
      { path: 'usr/doc/a' },
      { path: 'usr/doc/b' },
      { path: 'usr/doc/c' },
    ],
  });
  const [slim, whole] = [
    await readImage(join(folder, 'layout'), { tag: 'slim' }),
    await readImage(join(folder, 'layout'), { tag: 'whole' }),
  ];
  expect(whole.manifest.layers.slice(0, 3)).toEqual(slim.manifest.layers);
  expect(whole.manifest.layers).toHaveLength(4);
  expect(whole.config.history?.at(-1)).toMatchObject({ created_by: 'ocislim restore' });
  expect(await annotations('whole')).toBeUndefined();
  expect(await succeed('verify', at('app'), at('whole'))).toContain('the same');
});

test('--path brings back what it matches, and the image still names its original', async () => {
  await succeed('prune', at('app'), at('slim'), '--rule', 'usr', '--rule', 'bin/sh');
  const report = await reportOf('restore', at('slim'), at('part'), '--path', 'usr/doc/b');
  expect(report.platforms[0]?.restoring?.paths.map(({ path }) => path)).toEqual([
    'usr',
    'usr/doc',
    'usr/doc/a',
    'usr/doc/b',
  ]);
  expect(report.platforms[0]?.restoring?.stillMissing).toBe(2);
  expect(await annotations('part')).toEqual(await annotations('slim'));
  await succeed('restore', at('part'), '--in-place');
  expect(await succeed('verify', at('app'), at('part'))).toContain('the same');
});

test('where nothing is missing the result is the image as it is', async () => {
  await succeed('prune', at('app'), at('slim'), '--rule', 'usr/doc');
  const same = await succeed('restore', at('slim'), at('same'), '--path', 'bin/sh');
  const { descriptor } = await readImage(join(folder, 'layout'), { tag: 'slim' });
  expect(same).toBe(`${at('same')}@${descriptor.digest}`);
  const { stderr } = await callCli(['restore', at('slim'), '--dry-run', '--path', 'bin/sh']);
  expect(stderr).toContain('nothing to restore');
});

test('an index is restored platform by platform; what was not pruned stays', async () => {
  await succeed('prune', at('all'), at('slim'), '--rule', 'usr/doc');
  await succeed('restore', at('slim'), at('whole'));
  expect(await succeed('verify', at('all'), at('whole'))).toContain('the same');
  const plain = async (tag: string) =>
    (await readImage(join(folder, 'layout'), { tag, platform: 'linux/s390x' })).descriptor.digest;
  expect(await plain('whole')).toBe(await plain('all'));
  await succeed('restore', at('slim'), at('arm'), '--platform', 'linux/arm64');
  await succeed('verify', at('all'), at('arm'), '--platform', 'linux/arm64');
});

test('the original is found in another place with --original, and must be the one that was pruned', async () => {
  await succeed('copy', at('app'), at('app', 'moved'));
  await succeed('prune', at('app', 'moved'), at('slim'), '--rule', 'usr/doc');
  await rm(join(folder, 'moved'), { recursive: true });
  const lost = await callCli(['restore', at('slim'), at('whole')]);
  expect([lost.status, lost.stderr]).toEqual([1, expect.stringContaining('--original')]);
  const wrong = await callCli(['restore', at('slim'), at('whole'), '--original', at('other')]);
  expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('ORIGINAL_MISMATCH')]);
  await succeed('restore', at('slim'), at('whole'), '--original', at('app'));
  await succeed('restore', at('slim'), at('index'), '--original', at('all'));
  expect(await succeed('verify', at('app'), at('whole'))).toContain('the same');
  expect(await succeed('verify', at('app'), at('index'))).toContain('the same');
});

test('without annotations --original alone decides, if a layer or the time of creation is shared', async () => {
  const slim = at('silent');
  const silence = ['--annotation', 'io.ocislim.original.digest='];
  await succeed('prune', at('app'), slim, '--rule', 'usr/doc', ...silence);
  const silent = await callCli(['restore', slim, at('whole')]);
  expect([silent.status, silent.stderr]).toEqual([1, expect.stringContaining('does not say')]);
  await succeed('restore', slim, at('whole'), '--original', at('app'));
  expect(await succeed('verify', at('app'), at('whole'))).toContain('the same');
  await writeLayout(join(folder, 'stranger'), {
    app: buildImage({ layers: [tar('else=x')], config: { created: '2001-01-01T00:00:00Z' } }),
  });
  const stranger = await callCli(['restore', slim, at('no'), '--original', at('app', 'stranger')]);
  expect([stranger.status, stranger.stderr]).toEqual([1, expect.stringContaining('ORIGINAL_MISMATCH')]);
});

test('all comes back to an image that has no layer left', async () => {
  await succeed('prune', at('other'), at('nothing'), '--rule', '**', '--empty-layers', 'drop');
  expect((await readImage(join(folder, 'layout'), { tag: 'nothing' })).manifest.layers).toEqual([]);
  const file = join(folder, 'report.md');
  await succeed('restore', at('nothing'), at('all-of-it'), '--report', file, '--verbose');
  expect(await succeed('verify', at('other'), at('all-of-it'))).toContain('the same');
  const page = await readFile(file, 'utf8');
  expect(page).toContain('### Restored');
  expect(page).toContain('| `bin/sh` |');
});
