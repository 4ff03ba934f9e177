/** Names of a source that a docker-archive cannot have, since Docker does not allow them. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { callCli, pipeCli } from '../support/cli.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';
import { tagsIn } from '../support/store/archives.ts';
import { oldArchive, oldForm } from '../support/store/docker-archives.ts';
import { smallImage } from '../support/store/local.ts';

const image = smallImage({ compress: 'none' });
const scene = openScene(() => ({ v1: image, 'app:v1': image, 'App:v1': image }));

const saved = (...names: string[]) => writeTar(oldArchive(oldForm(image, names)));
const digest = `app@${image.descriptor.digest}`;

test.each([
  [['App:v1'], null, ['App:v1']],
  [['Team/app:v1', 'app:v1'], ['app:v1'], ['Team/app:v1']],
  [['app:v1', 'docker.io/library/app:v1'], ['app:v1'], []],
  [['app:Upper', 'host.example:5000/app'], ['app:Upper', 'host.example:5000/app:latest'], []],
  [[digest], null, [digest]],
  [['a b:1', 'x/:1', 'app:', ':v1'], null, ['a b:1', 'x/:1', 'app:', ':v1']],
])(
  'an image of docker save with the names %j gets %j, and warnings of %j',
  async (names, expected, dropped) => {
    const args = ['squash', 'docker-archive:-', 'docker-archive:-', '--all'];
    const { status, stdout, stderr } = await pipeCli(args, saved(...names));
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(tagsIn(stdout)).toEqual([expected]);
    for (const name of dropped) expect(stderr).toContain(`does not get the name ${JSON.stringify(name)}`);
    expect(stderr.split('does not get the name')).toHaveLength(dropped.length + 1);
  },
);

test('a file says the same, --strict makes it an error, and --name ends it', async () => {
  const from = `docker-archive:${await scene.write('saved.tar', saved('App:v1'))}`;
  const path = scene.path('named.tar');
  const strict = await callCli(['copy', from, `docker-archive:${path}`, '--strict']);
  expect(strict.status).toBe(1);
  expect(strict.stderr).toContain('"App:v1", which Docker does not allow');
  const named = await scene.run('copy', from, `docker-archive:${path}`, '--name', 'app:v1', '--strict');
  expect(named.stderr).not.toContain('does not allow');
  expect(tagsIn(await readFile(path))).toEqual([['app:v1']]);
  const oci = await scene.run('copy', from, `oci-archive:${scene.path('oci.tar')}`, '--strict');
  expect(oci.stderr).not.toContain('does not allow');
});

test.each([
  [':v1', '"v1" is a tag without a repository'],
  [':app:v1', null],
  [':App:v1', '"App:v1", which Docker does not allow'],
])('the image %s of a layout', async (which, words) => {
  const to = `docker-archive:${scene.path(`${which.slice(1).replace(':', '-')}.tar`)}`;
  const { stderr } = await scene.run('copy', `oci:${scene.path('layout')}${which}`, to);
  if (words === null) expect(stderr).not.toContain('name');
  else expect(stderr).toContain(words);
});

test.each(['App:v1', 'app@sha256:12', 'a b'])(
  '--name %j is refused before anything is written',
  async (name) => {
    const path = scene.path('refused.tar');
    const { status, stderr } = await callCli([
      'copy',
      scene.at('v1'),
      `docker-archive:${path}`,
      '--name',
      name,
    ]);
    expect(status).toBe(2);
    expect(stderr).toContain(name);
    await expect(readFile(path)).rejects.toThrow('ENOENT');
  },
);
