import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asByteString } from '../../../src/bytes/bytes.ts';
import { type ListWish, type ListedFile, listFiles, storedName } from '../../../src/jobs/look/list-files.ts';
import { lawRuns, rootfsOf } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { buildImage } from '../../support/image-builder.ts';
import { MemorySource } from '../../support/memory-store.ts';
import { normalise, placeOf } from '../../support/model/filesystem.ts';
import { tar } from '../../support/model/shorthand.ts';
import { readTar } from '../../support/model/tar-bytes.ts';

const whole: ListWish = {
  path: asByteString('/'),
  layer: null,
  allLayers: false,
  recursive: true,
  itself: false,
};

async function listed(
  tars: readonly Uint8Array[],
  wish: Partial<Omit<ListWish, 'path'>> & { readonly path?: string } = {},
): Promise<readonly ListedFile[]> {
  const source = new MemorySource(buildImage({ layers: tars, compress: 'none' }), { label: 'app:1' });
  const { signal } = new AbortController();
  const path = asByteString(wish.path ?? '/');
  const options = { source, platform: null, jobs: 1, maxScratch: 0, listener: () => {}, signal };
  return (await listFiles(options, { ...whole, ...wish, path })).files;
}

test('law: what is listed of an image is what a container sees', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack(), async ({ layers }) => {
      const tars = layers.map((layer) => layer.tar);
      const files = await listed(tars);
      const rootfs = [...rootfsOf(tars)]
        .filter(([path]) => path !== '')
        .toSorted(([a], [b]) => (a < b ? -1 : 1));
      const told = files.map(({ path, kind, mode, uid, gid, mtime, target }) => ({
        path: String(path),
        kind: kind === 'directory' ? 'dir' : kind,
        mode,
        uid,
        gid,
        mtime,
        target: target === null ? '' : String(target),
      }));
      const seen = rootfs.map(([path, { kind, mode, uid, gid, mtime, target }]) => ({
        path,
        kind,
        mode,
        uid,
        gid,
        mtime: mtime === undefined ? null : Number(mtime),
        target,
      }));
      expect(told.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual(seen);
    }),
    { numRuns: lawRuns() },
  );
});

test('law: of all layers each entry is listed under the name that its layer has for it', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack(), async ({ layers }) => {
      const tars = layers.map((layer) => layer.tar);
      const files = await listed(tars, { allLayers: true });
      const expected = tars.flatMap((bytes, i) =>
        readTar(bytes)
          .filter(({ type, name }) => type !== 'global' && placeOf(name).is !== 'leftover')
          .map(({ name }) => `${i + 1} ${normalise(name)}`),
      );
      expect(files.map((file) => `${file.layer} ${storedName(file)}`)).toEqual(expected);
      for (const [i] of tars.entries()) {
        const own = await listed(tars, { layer: i + 1 });
        const ofAll = files.filter(({ layer }) => layer === i + 1);
        expect(own).toEqual(ofAll.map((file) => ({ ...file, fate: null, hiddenBy: null })));
      }
    }),
    { numRuns: lawRuns({ share: 0.5 }) },
  );
});

const layers = [
  tar(
    'bin/',
    'usr/bin/sh=x',
    'sbin~>usr/bin',
    'loop~>loop',
    'etc/a=1',
    'etc/b=22',
    'etc/d/e=3',
    'hard->etc/b',
  ),
  tar('etc/.wh.a', 'etc/b=new', 'lost~>/nowhere'),
  tar('etc/.wh..wh..opq', 'etc/c=4'),
];
const names = async (wish: Parameters<typeof listed>[1]) =>
  (await listed(layers, wish)).map(({ path }) => path);

describe('a path', () => {
  test.each([
    [{ path: 'etc', recursive: false }, ['etc/c']],
    [{ path: '/etc/', recursive: false }, ['etc/c']],
    [{ path: 'sbin' }, ['usr/bin/sh']],
    [{ path: '/sbin/../..//usr/./bin' }, ['usr/bin/sh']],
    [{ path: 'sbin', itself: true }, ['sbin']],
    [{ path: 'sbin/sh' }, ['usr/bin/sh']],
    [{ path: 'lost' }, ['lost']],
    [{ path: 'loop' }, ['loop']],
    [{ path: '/', recursive: false }, ['bin', 'etc', 'hard', 'loop', 'lost', 'sbin', 'usr']],
    [{ path: '/', itself: true }, ['']],
    [{ path: 'etc', layer: 2 }, ['etc/a', 'etc/b']],
    [{ path: 'etc', layer: 3, recursive: false }, ['etc', 'etc/c']],
    [{ path: 'etc/d', allLayers: true }, ['etc/d/e']],
  ])('%j is followed within the image', async (wish, paths) => {
    expect((await names(wish)).toSorted()).toEqual(paths);
  });

  test.each([
    [{ path: 'etc/none' }, 'app:1 has no "etc/none"', undefined],
    [
      { path: 'etc/b' },
      'app:1 has no "etc/b"',
      'Layer 1, 2 has it, hidden by layers above: --layer 2 shows it.',
    ],
    [{ path: 'sbin/none' }, 'app:1 has no "usr/bin/none": the symbolic link "sbin" leads there', undefined],
    [
      { path: 'etc/b', layer: 3 },
      'layer 3 of app:1 has no "etc/b"',
      'Layer 1, 2 has it: --layer 2 shows it.',
    ],
    [{ path: 'lost', layer: 1 }, 'layer 1 of app:1 has no "lost"', 'Layer 2 has it: --layer 2 shows it.'],
    [{ path: 'none', layer: 1 }, 'layer 1 of app:1 has no "none"', undefined],
    [{ path: 'none', allLayers: true }, 'app:1 has no "none"', undefined],
  ])('%j that there is not is an error', async (wish, message, advice) => {
    await expect(listed(layers, wish)).rejects.toMatchObject({ code: 'NOT_FOUND', message, advice });
  });

  test('of a layer that there is not is an error', async () => {
    await expect(listed(layers, { layer: 4 })).rejects.toMatchObject({ code: 'SELECTION_INVALID' });
  });
});

test('of one layer no other is read', async () => {
  const image = buildImage({ layers });
  const source = new MemorySource(image);
  const { signal } = new AbortController();
  const options = { source, platform: null, jobs: 1, maxScratch: 0, listener: () => {}, signal };
  await listFiles(options, { ...whole, layer: 2 });
  expect(image.layers.map(({ digest }) => source.countOf(digest))).toEqual([0, 1, 0]);
});

test('what hides an entry is told', async () => {
  const files = await listed(layers, { path: 'etc', allLayers: true });
  expect(files.map(({ path, kind, layer, fate, hiddenBy }) => [layer, path, kind, fate, hiddenBy])).toEqual([
    [1, 'etc/a', 'file', 'deleted', 2],
    [1, 'etc/b', 'file', 'replaced', 2],
    [1, 'etc/d/e', 'file', 'deleted', 3],
    [2, 'etc/a', 'whiteout', 'marker', null],
    [2, 'etc/b', 'file', 'deleted', 3],
    [3, 'etc', 'opaque', 'marker', null],
    [3, 'etc/c', 'file', 'kept', null],
  ]);
});
