/** Annotations of the rows of a layout's index.json that say how the image is packed, after --in-place. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { artifacts, indexOf } from '../support/artifacts.ts';
import {
  type BlobDescriptor,
  type BuiltTree,
  buildImage,
  type LayerCompression,
} from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

const note = 'io.github.containers.compression.zstd';
const soci = 'com.amazon.soci.index-digest';
const refName = 'org.opencontainers.image.ref.name';
const platform = { os: 'linux', architecture: 'amd64' };
const layers = [tar('a=1'), tar('b=2')];
const packed = (compress: LayerCompression, architecture = 'amd64') =>
  buildImage({ layers, compress, platform: { os: 'linux', architecture } });
const scene = openScene();

type Notes = Readonly<Record<string, string>>;

/** Writes a layout with these images, whose rows have these annotations and no others. */
async function layoutOf(
  name: string,
  ...rows: readonly (readonly [tree: BuiltTree, annotations: Notes | null])[]
) {
  await scene.writeLayout(Object.fromEntries(rows.map(([tree], i) => [`${i}`, tree])), name);
  const manifests = rows.map(([{ descriptor }, annotations]) => ({
    ...descriptor,
    ...(annotations === null ? {} : { annotations }),
  }));
  await writeFile(scene.path(name, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

async function rowsOf(name: string): Promise<readonly (BlobDescriptor & { annotations?: Notes })[]> {
  const index = JSON.parse(await readFile(scene.path(name, 'index.json'), 'utf8')) as {
    manifests: BlobDescriptor[];
  };
  return index.manifests;
}

const notes = { [refName]: 'v1', [note]: 'true', [soci]: 'sha256:1', kept: 'yes' };

test.each([
  ['an image', packed('zstd')],
  ['an index', indexOf([packed('zstd'), packed('zstd', 'arm64')])],
  ['a nested index', indexOf([indexOf([packed('zstd')])])],
])('the row of %s says of its packing what is true', async (_, tree) => {
  const kept = { [refName]: 'v1', kept: 'yes' };
  for (const [args, expected] of [
    [['recompress', '--compression', 'gzip'], kept],
    [['recompress', '--compression', 'none'], kept],
    [['squash', '--all'], { ...kept, [note]: 'true' }],
    [['copy', '--label', 'a=b'], notes],
    [['copy'], notes],
  ] as const) {
    await layoutOf('row', [tree, notes]);
    await scene.succeed(...args, `oci:${scene.path('row')}`, '--in-place');
    const [row, ...others] = await rowsOf('row');
    expect(row?.annotations, args.join(' ')).toEqual(expected);
    expect(others).toEqual([]);
  }
});

test('the row keeps what is true of one of its platforms', async () => {
  await layoutOf('partly', [indexOf([packed('zstd'), packed('gzip', 'arm64')]), notes]);
  await scene.succeed(
    'recompress',
    `oci:${scene.path('partly')}`,
    '--in-place',
    '--compression',
    'gzip',
    '--layers',
    '2..2',
  );
  expect((await rowsOf('partly'))[0]?.annotations).toHaveProperty([note]);
});

test('an artifact that is copied in place keeps all annotations', async () => {
  await layoutOf('artifact', [artifacts['a chart'] as BuiltTree, notes]);
  await scene.succeed('copy', `oci:${scene.path('artifact')}`, '--in-place');
  expect((await rowsOf('artifact'))[0]?.annotations).toEqual(notes);
});

describe('a row that becomes zstd', () => {
  const zstd = async (layout: string, which: string) =>
    scene.succeed('recompress', `oci:${scene.path(layout)}${which}`, '--in-place', '--compression', 'zstd');

  test('is marked beside one for its platform that nothing else tells from it', async () => {
    await layoutOf('rivals', [packed('gzip'), null], [packed('none'), null], [packed('gzip', 'arm64'), null]);
    await zstd('rivals', '@1');
    expect((await rowsOf('rivals')).map(({ annotations }) => annotations)).toEqual([
      undefined,
      { [note]: 'true' },
      undefined,
    ]);
  });

  test('is not marked beside one of another name, or of another platform', async () => {
    const names = ['a', 'b'].map((name) => ({ [refName]: name }));
    await layoutOf('names', [packed('gzip'), names[0] as Notes], [packed('none'), names[1] as Notes]);
    await zstd('names', ':b');
    expect((await rowsOf('names')).map(({ annotations }) => annotations)).toEqual(names);
    expect((await rowsOf('names'))[1]?.platform).toEqual(platform);
  });
});
