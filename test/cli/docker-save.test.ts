/** Images that `docker save` has unpacked, on their way to places that take packed layers. */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';
import { newForm, oldArchive, oldForm } from '../support/store/docker-archives.ts';
import { smallImage } from '../support/store/local.ts';

const image = smallImage({ compress: 'none' });
const packed = smallImage({ compress: 'zstd', seed: 'packed' });
const scene = openScene();

/** The image in both forms of `docker save`. */
const forms = [
  writeTar(oldArchive(oldForm(image, ['app:v1']))),
  writeTar(newForm([{ tree: image, name: 'app:v1', image }])),
];

/** Writes an archive under a name that is always the same, since a pruned image names its original. */
const saved = async (form = forms[0] as Uint8Array) => `docker-archive:${await scene.write('app.tar', form)}`;

const kinds = async (tag: string, layout: string) =>
  (await scene.read(tag, layout)).manifest.layers.map(({ mediaType }) => mediaType.replace(/^.*tar\+?/, ''));

describe('the plain layers of a docker-archive', () => {
  test.each([
    ['copy', [], 'gzip'],
    ['squash', ['--last', '2'], 'gzip'],
    ['prune', ['--rule', '/app'], 'gzip'],
    ['recompress', [], 'gzip'],
    ['recompress', ['--layers', '1..1', '--compression', 'zstd'], 'gzip'],
    ['slim', [], 'gzip'],
    ['slim', ['--last', '2'], 'gzip'],
    ['recompress', ['--compression', 'none'], ''],
    ['copy', ['--compression', 'none'], ''],
    ['copy', ['--compression', 'zstd'], 'zstd'],
  ] as const)('arrive packed by %s %j, whichever form the archive has', async (command, options, kind) => {
    const digests: string[] = [];
    for (const [i, form] of forms.entries()) {
      const source = await saved(form);
      const to = `${command}-${i}`;
      const out = await scene.succeed(command, source, scene.at('v1', to), ...options);
      digests.push(out.slice(out.lastIndexOf('@')));
      expect((await kinds('v1', to)).at(-1)).toBe(kind);
      if (kind === '') continue;
      expect(await kinds('v1', to)).not.toContain('');
      await scene.expectSame(
        source,
        scene.at('v1', to),
        ...(command === 'prune' ? ['--except', '/app'] : []),
      );
    }
    expect(digests[0]).toBe(digests[1]);
  });

  test('keep their DiffIDs and their config in a copy, which is the same each time, to archives too', async () => {
    const source = await saved();
    const told = await scene.run('copy', source, scene.at('v1', 'once'));
    expect(told.stderr).toContain('3 compressed with gzip');
    const { config, manifest, blobs } = await readTree('once');
    expect(digestOf(config)).toBe(digestOf(image.config));
    const diffIds = manifest.layers.map(({ digest }) => digestOf(gunzipSync(blobs(digest))));
    expect(diffIds).toEqual(image.diffIds);
    const again = await scene.succeed(
      'copy',
      source,
      `oci-archive:${scene.path('again.tar')}:v1`,
      '--jobs',
      '1',
    );
    expect(again.slice(again.lastIndexOf('@'))).toBe(told.stdout.trim().slice(told.stdout.lastIndexOf('@')));
  });

  test('stay plain on the way to another docker-archive, also in a dry run', async () => {
    const source = await saved();
    const to = `docker-archive:${scene.path('out.tar')}:app:v2`;
    expect((await scene.run('copy', source, to, '--dry-run')).stderr).toContain('3 kept');
    expect((await scene.run('copy', source, scene.at('v1', 'dry'), '--dry-run')).stderr).toContain(
      '3 to be changed',
    );
    await scene.run('copy', source, to);
    await scene.run('copy', to, scene.at('plain', 'unpacked'), '--compression', 'none');
    expect((await scene.read('plain', 'unpacked')).manifest.layers.map(({ digest }) => digest)).toEqual(
      image.layers.map(({ digest }) => digest),
    );
  });
});

test('packed layers of a docker-archive are copied byte for byte', async () => {
  const tar = writeTar(newForm([{ tree: packed, name: 'app:v1', image: packed }]));
  const source = `docker-archive:${await scene.write('packed.tar', tar)}`;
  expect(await scene.succeed('copy', source, scene.at('v1', 'packed'))).toContain(packed.descriptor.digest);
});

test('plain layers of a layout are copied byte for byte, with a warning where --compression asks for more', async () => {
  await scene.writeLayout({ v1: image }, 'plain');
  expect(await scene.succeed('copy', scene.at('v1', 'plain'), scene.at('v2', 'plain'))).toContain(
    image.descriptor.digest,
  );
  const told = await scene.run(
    'copy',
    scene.at('v1', 'plain'),
    scene.at('v3', 'plain'),
    '--compression',
    'gzip',
  );
  expect(told.stdout).toContain(image.descriptor.digest);
  expect(told.stderr).toContain('ocislim recompress');
});

test.each(['recompress', 'slim'])('%s packs the plain layers of any place', async (command) => {
  await scene.writeLayout({ v1: image }, 'any');
  await scene.succeed(command, scene.at('v1', 'any'), scene.at(command, 'any'));
  expect(await kinds(command, 'any')).toEqual(['gzip', 'gzip', 'gzip']);
});

/** Reads config, manifest and blobs of the image `v1` of a layout. */
async function readTree(layout: string) {
  const read = await scene.read('v1', layout);
  const files = new Map<string, Uint8Array>();
  const { config, layers } = read.manifest;
  for (const { digest } of [config, ...layers])
    files.set(digest, await readFile(scene.path(layout, 'blobs', ...digest.split(':'))));
  const blobs = (digest: string) => files.get(digest) as Uint8Array;
  return { config: blobs(config.digest), manifest: read.manifest, blobs };
}
