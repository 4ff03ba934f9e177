import { readFile, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { specOf, tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

const scene = openScene(() => {
  const base = tar('bin/', { ...specOf('bin/su=program'), mode: 0o4755 }, 'bin/also->bin/su', 'bin/sh=shell');
  const docs = tar('usr/', 'usr/doc/', 'usr/doc/a=long', 'usr/doc/b->usr/doc/a', 'usr/doc/c=short');
  const app = tar('app=run', 'var/log/messages=x');
  const image = buildImage({ layers: [base, docs, app] });
  const arm = buildImage({ layers: [docs, app], platform: { os: 'linux', architecture: 'arm64' } });
  const plain = buildImage({ layers: [app], platform: { os: 'linux', architecture: 's390x' } });
  const all = buildIndex({ images: [image, arm, plain] });
  return { app: image, all, other: buildImage({ layers: [base] }) };
});
const at = (tag: string, layout?: string) => scene.at(tag, layout);
const succeed = (...args: string[]) => scene.succeed(...args);

const annotations = async (tag: string) => (await scene.read(tag)).manifest.annotations;

test('a pruned image names its original, twice pruned the first one; squash, shadowed and recompress name none', async () => {
  await succeed('prune', at('app'), at('one'), '--rule', 'usr/doc');
  const original = (await scene.read('app')).descriptor.digest;
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
  const report = await scene.report('restore', at('slim'), at('whole'));
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
  const [slim, whole] = [await scene.read('slim'), await scene.read('whole')];
  expect(whole.manifest.layers.slice(0, 3)).toEqual(slim.manifest.layers);
  expect(whole.manifest.layers).toHaveLength(4);
  expect(whole.config.history?.at(-1)).toMatchObject({ created_by: 'ocislim restore' });
  expect(await annotations('whole')).toBeUndefined();
  await scene.expectSame(at('app'), at('whole'));
});

test('--path brings back what it matches, and the image still names its original', async () => {
  await succeed('prune', at('app'), at('slim'), '--rule', 'usr', '--rule', 'bin/sh', '--force');
  const report = await scene.report('restore', at('slim'), at('part'), '--path', 'usr/doc/b');
  expect(report.platforms[0]?.restoring?.paths.map(({ path }) => path)).toEqual([
    'usr',
    'usr/doc',
    'usr/doc/a',
    'usr/doc/b',
  ]);
  expect(report.platforms[0]?.restoring?.stillMissing).toBe(2);
  expect(await annotations('part')).toEqual(await annotations('slim'));
  await succeed('restore', at('part'), '--in-place');
  await scene.expectSame(at('app'), at('part'));
});

test('an image that lacks nothing is copied unchanged', async () => {
  await succeed('prune', at('app'), at('slim'), '--rule', 'usr/doc');
  const same = await succeed('restore', at('slim'), at('same'), '--path', 'bin/sh');
  const { descriptor } = await scene.read('slim');
  expect(same).toBe(`${at('same')}@${descriptor.digest}`);
  const { stderr } = await callCli(['restore', at('slim'), '--dry-run', '--path', 'bin/sh']);
  expect(stderr).toContain('nothing to restore');
});

test('an index is restored platform by platform; what was not pruned stays', async () => {
  await succeed('prune', at('all'), at('slim'), '--rule', 'usr/doc');
  await succeed('restore', at('slim'), at('whole'));
  await scene.expectSame(at('all'), at('whole'));
  const plain = async (tag: string) => (await scene.read(tag, 'layout', 'linux/s390x')).descriptor.digest;
  expect(await plain('whole')).toBe(await plain('all'));
  await succeed('restore', at('slim'), at('arm'), '--platform', 'linux/arm64');
  await succeed('verify', at('all'), at('arm'), '--platform', 'linux/arm64');
});

test('the original is found in another place with --original, and must be the one that was pruned', async () => {
  await succeed('copy', at('app'), at('app', 'moved'));
  await succeed('prune', at('app', 'moved'), at('slim'), '--rule', 'usr/doc');
  await rm(scene.path('moved'), { recursive: true });
  const lost = await callCli(['restore', at('slim'), at('whole')]);
  expect([lost.status, lost.stderr]).toEqual([1, expect.stringContaining('--original')]);
  const wrong = await callCli(['restore', at('slim'), at('whole'), '--original', at('other')]);
  expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('ORIGINAL_MISMATCH')]);
  await succeed('restore', at('slim'), at('whole'), '--original', at('app'));
  await succeed('restore', at('slim'), at('index'), '--original', at('all'));
  await scene.expectSame(at('app'), at('whole'));
  await scene.expectSame(at('app'), at('index'));
});

test('without annotations --original alone decides, if a layer or the time of creation is shared', async () => {
  const slim = at('silent');
  const silence = ['--annotation', 'io.ocislim.original.digest='];
  await succeed('prune', at('app'), slim, '--rule', 'usr/doc', ...silence);
  const silent = await callCli(['restore', slim, at('whole')]);
  expect([silent.status, silent.stderr]).toEqual([1, expect.stringContaining('does not say')]);
  await succeed('restore', slim, at('whole'), '--original', at('app'));
  await scene.expectSame(at('app'), at('whole'));
  const config = { created: '2001-01-01T00:00:00Z' };
  await scene.writeLayout({ app: buildImage({ layers: [tar('else=x')], config }) }, 'stranger');
  const stranger = await callCli(['restore', slim, at('no'), '--original', at('app', 'stranger')]);
  expect([stranger.status, stranger.stderr]).toEqual([1, expect.stringContaining('ORIGINAL_MISMATCH')]);
});

test('all comes back to an image that has no layer left', async () => {
  await succeed('prune', at('other'), at('nothing'), '--rule', '**', '--empty-layers', 'drop', '--force');
  expect((await scene.read('nothing')).manifest.layers).toEqual([]);
  const file = scene.path('report.md');
  await succeed('restore', at('nothing'), at('all-of-it'), '--report', file, '--verbose');
  await scene.expectSame(at('other'), at('all-of-it'));
  const page = await readFile(file, 'utf8');
  expect(page).toContain('### Restored');
  expect(page).toContain('| `bin/sh` |');
});

test('hard links of --dedupe-hardlink stay, the summary counts them, and the report of the pruning explains them', async () => {
  const layer = tar('a/', 'a/one=same', 'a/two=same', 'a/three=same', 'b/', 'b/x=gone', 'b/y->a/one');
  await scene.writeLayout({ twins: buildImage({ layers: [layer] }) }, 'twins');
  const [twins, slim, back] = ['twins', 'slim', 'back'].map((tag) => at(tag, 'twins')) as [
    string,
    string,
    string,
  ];
  const file = scene.path('twins.json');
  await succeed('prune', twins, slim, '--rule', 'b/x', '--dedupe-hardlink', '--report', file);
  const { stderr } = await scene.run('restore', slim, back);
  expect(stderr).toContain('put back 1 path; nothing is missing; 2 names still hard links');
  const report = await scene.report('restore', slim, back, '--report', scene.path('twins.md'));
  expect(report.platforms[0]?.restoring).toMatchObject({ stillMissing: 0, stillLinked: 2 });
  expect(await readFile(scene.path('twins.md'), 'utf8')).toContain('0 still missing, 2 still hard links.');
  expect((await callCli(['verify', twins, back])).status).toBe(3);
  await succeed('verify', twins, back, '--removed-by', file);
});
