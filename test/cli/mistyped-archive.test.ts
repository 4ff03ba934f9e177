/** Layers that are packed in another way than their media types say, on their way into a docker-archive. */
import { readFile } from 'node:fs/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type BuiltTree, buildImage, digestOf, MEDIA_TYPES } from '../support/image-builder.ts';
import { callCli } from '../support/cli.ts';
import { mistyped, mistypings, stating } from '../support/mistyped.ts';
import { tar } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';
import { expectOneImage, oldArchive, oldForm } from '../support/store/docker-archives.ts';

const layers = [tar('a=1', 'b=2'), tar('c=3')];
const packers = { gzip: gzipSync, zstd: zstdCompressSync } as const;
const scene = openScene();

describe.each(mistypings)('a layer that states %s and is %s', (stated, actual) => {
  test.each([
    ['copy', []],
    ['squash', ['--last', '1']],
    ['recompress', ['--compression', 'zstd']],
    ['prune', ['--rule', '/c']],
    ['slim', []],
  ] as const)('is a plain tar under its own type after %s %j', async (command, options) => {
    await scene.writeLayout({ it: mistyped(layers, { stated, actual, at: 0 }) }, 'mistyped');
    const path = scene.path(`${command}-${stated}-${actual}.tar`);
    await scene.run(command, scene.at('it', 'mistyped'), `docker-archive:${path}:app:1`, ...options);
    expectOneImage(await readFile(path));
    const except = command === 'prune' ? ['--except', '/c'] : [];
    await scene.expectSame(scene.at('it', 'mistyped'), `docker-archive:${path}`, ...except);
  });

  test('is copied byte for byte elsewhere', async () => {
    const tree = mistyped(layers, { stated, actual, at: 0 });
    await scene.writeLayout({ it: tree }, 'mistyped');
    for (const to of [scene.at('it', 'copied'), `oci-archive:${scene.path('copied.tar')}:it`])
      expect(await scene.succeed('copy', scene.at('it', 'mistyped'), to)).toContain(tree.descriptor.digest);
  });
});

test.each(Object.entries(packers))(
  'packed layers of another docker-archive are unpacked: %s',
  async (_, pack) => {
    const image = buildImage({ layers, compress: 'none' });
    const packed = layers.map((bytes) => new Uint8Array(pack(bytes)));
    const from = await scene.write('packed.tar', writeTar(oldArchive(oldForm(image, ['app:1'], packed))));
    const path = scene.path('unpacked.tar');
    await scene.run('copy', `docker-archive:${from}`, `docker-archive:${path}`);
    expectOneImage(await readFile(path));
  },
);

/** Returns an image of one layer that states to be plain, with these bytes. `diffId`: the digest that the config states. */
function imageOf(bytes: Uint8Array, diffId: string): BuiltTree {
  const built = buildImage({
    layers: [bytes],
    compress: 'none',
    config: { rootfs: { type: 'layers', diff_ids: [diffId] } },
  });
  return stating(built, ({ layers: [layer] }) => expect(layer?.mediaType).toBe(MEDIA_TYPES.oci.layer.none));
}

test.each([
  ['gzip under a DiffID of its own', gzipSync(layers[0] as Uint8Array), null],
  ['zstd under a DiffID of its own', zstdCompressSync(layers[0] as Uint8Array), null],
  ['bzip2', Buffer.from('BZh91AY&SY'.padEnd(2000)), digestOf(layers[0] as Uint8Array)],
  ['text', Buffer.from('not a tar'), null],
])('bytes of a layer that are no tar are refused: %s', async (_, bytes, diffId) => {
  await scene.writeLayout({ it: imageOf(bytes, diffId ?? digestOf(bytes)) }, 'broken');
  const path = scene.path('broken.tar');
  const { status, stderr } = await callCli([
    'copy',
    scene.at('it', 'broken'),
    `docker-archive:${path}:app:1`,
  ]);
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringContaining('its bytes are not a tar') as string,
  });
  await expect(readFile(path)).rejects.toThrow('ENOENT');
});

test('a plain layer with the DiffID of another one is refused, as docker load would refuse it', async () => {
  await scene.writeLayout(
    { it: imageOf(layers[0] as Uint8Array, digestOf(layers[1] as Uint8Array)) },
    'wrong',
  );
  const path = scene.path('wrong.tar');
  const { status, stderr } = await callCli(['copy', scene.at('it', 'wrong'), `docker-archive:${path}:app:1`]);
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringContaining('[DIFFID_MISMATCH]') as string,
  });
  await expect(readFile(path)).rejects.toThrow('ENOENT');
});

test('a tar that begins as gzip does, with the name of its first file, is one', async () => {
  const bytes = writeTar([{ name: '\x1f\x8b.txt', body: Buffer.from('x'), format: 'gnu' }]);
  await scene.writeLayout({ it: imageOf(bytes, digestOf(bytes)) }, 'odd');
  const path = scene.path('odd.tar');
  await scene.run('copy', scene.at('it', 'odd'), `docker-archive:${path}:app:1`);
  await scene.expectSame(scene.at('it', 'odd'), `docker-archive:${path}`);
});
