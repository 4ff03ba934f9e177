import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entriesOf, type ImageFile, textFile } from '../../scripts/image/image-file.ts';
import { type ImageRecipe, type LayerRecipe, writeImage } from '../../scripts/image/image-writer.ts';
import { readImage } from '../support/image-reader.ts';
import { newFolder } from '../support/store/local.ts';

const time = 1_700_000_000;
const shared: LayerRecipe = { what: 'a base', time: 0, files: [textFile('etc/passwd', 'root\n')] };

/** The images of two platforms: the shared layer, and one of its own. */
const recipe: ImageRecipe = {
  images: ['amd64', 'arm64'].map((architecture) => ({
    platform: { architecture, os: 'linux' },
    layers: [shared, { what: 'a program', files: [textFile('usr/bin/a', architecture)] }],
  })),
  run: { entrypoint: '["/usr/bin/a"]', user: '1' },
  annotations: { 'org.opencontainers.image.title': 'a' },
};

const writeInto = (folder: string) => writeImage(recipe, { destination: `oci:${folder}:1`, time, level: 1 });

test('what is written is an index of valid images that share a layer', async () => {
  const folder = await newFolder();
  const digest = await writeInto(folder);
  const [amd64, arm64] = await Promise.all(
    ['linux/amd64', 'linux/arm64'].map((platform) => readImage(folder, { tag: '1', platform })),
  );
  expect(amd64?.manifest.layers[0]).toEqual(arm64?.manifest.layers[0]);
  expect(amd64?.layers.map((layer) => layer.map(({ name, mtime }) => [name, mtime]))).toEqual([
    [
      ['etc/', '0'],
      ['etc/passwd', '0'],
    ],
    [
      ['usr/', `${time}`],
      ['usr/bin/', `${time}`],
      ['usr/bin/a', `${time}`],
    ],
  ]);
  expect(arm64?.config).toMatchObject({
    created: '2023-11-14T22:13:20Z',
    architecture: 'arm64',
    config: { Entrypoint: ['/usr/bin/a'], User: '1', Labels: { 'org.opencontainers.image.title': 'a' } },
  });
  const rows = arm64?.config.history?.map((row) => row.created_by) ?? [];
  expect(rows.slice(0, 2)).toEqual(['ocislim: a base', 'ocislim: a program']);
  const index = JSON.parse(readFileSync(join(folder, 'blobs', ...digest.split(':')), 'utf8')) as object;
  expect(index).toMatchObject({ annotations: recipe.annotations });
});

test('the same files give the same digest', async () => {
  expect(await writeInto(await newFolder())).toEqual(await writeInto(await newFolder()));
});

test('the entries of a layer are sorted, and directories that are stated keep their attributes', () => {
  const files: readonly ImageFile[] = [
    { kind: 'symlink', path: 'z', target: 'a/b' },
    textFile('a/b/c', ''),
    { kind: 'directory', path: 'a', mode: 0o1777, owner: 7 },
  ];
  const entries = entriesOf(files, 5).map(({ name, mode, uid, gid }) => [name, mode, uid, gid]);
  expect(entries).toEqual([
    ['a', 0o1777, 7, 7],
    ['a/b', 0o755, 0, 0],
    ['a/b/c', 0o644, 0, 0],
    ['z', 0o777, 0, 0],
  ]);
});

test('two files of one path are refused', () => {
  expect(() => entriesOf([textFile('a', '1'), textFile('a', '2')], 0)).toThrow(
    'two files of the layer are a',
  );
});
