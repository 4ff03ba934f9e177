import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asByteString } from '../../../src/bytes/bytes.ts';
import { type FileWish, withFile } from '../../../src/jobs/look/read-file.ts';
import type { FoundPath } from '../../../src/jobs/look/find-path.ts';
import { collect } from '../../../src/stream/collect.ts';
import { lawRuns, rootfsOf } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { type BuiltImage, buildImage } from '../../support/image-builder.ts';
import { MemorySource, type MemorySourceOptions } from '../../support/memory-store.ts';
import { tar } from '../../support/model/shorthand.ts';
import { readTar, writeTar } from '../../support/model/tar-bytes.ts';

interface Read {
  readonly bytes: Uint8Array;
  readonly found: FoundPath;
  /** How often each layer was opened, the lowest first. */
  readonly opened: readonly number[];
}

async function read(
  image: BuiltImage,
  path: string,
  {
    maxScratch = 0,
    layer = null,
    verify = true,
    ...options
  }: Partial<FileWish> & MemorySourceOptions & { maxScratch?: number } = {},
): Promise<Read> {
  const source = new MemorySource(image, { label: 'app:1', ...options });
  const { signal } = new AbortController();
  const opening = { source, platform: null, jobs: 1, maxScratch, listener: () => {}, signal };
  try {
    return await withFile(
      opening,
      { path: asByteString(path), layer, verify },
      async ({ contents, found }) => ({
        bytes: await collect(contents, 1e8, 'the file'),
        found,
        opened: image.layers.map(({ digest }) => source.countOf(digest)),
      }),
    );
  } finally {
    expect(source.held).toBe(0);
  }
}

const text = async (...args: Parameters<typeof read>) => Buffer.from((await read(...args)).bytes).toString();

test('law: each file that a container sees has its contents, its holes as zeros', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack(), fc.nat(), async ({ layers }, choice) => {
      const tars = layers.map((layer) => layer.tar);
      const files = [...rootfsOf(tars)].filter(([, { kind }]) => kind === 'file');
      const [path, node] = files[choice % Math.max(files.length, 1)] ?? [];
      if (path === undefined || node === undefined) return;
      const { bytes } = await read(buildImage({ layers: tars, compress: 'none' }), path);
      const [plain] = readTar(writeTar([{ name: 'x', body: bytes }]));
      expect(plain?.content).toBe(node.content);
    }),
    { numRuns: lawRuns() },
  );
});

const image = buildImage({
  layers: [
    tar('etc/base=1', 'etc/a=1', 'etc/gone=1', 'bin~>usr/bin', 'usr/bin/sh=sh1', 'old/x=1', 'file=1'),
    tar('etc/a=2', 'etc/.wh.gone', 'usr/bin/sh=sh2', 'hard->etc/base', 'old/.wh..wh..opq', 'self~>self'),
    tar('etc/a=3', 'old/y=3', 'file/inside=3', 'up~>../../../etc/a'),
  ],
});

describe('layers are read from the topmost down, until it is certain where a file is', () => {
  test.each([
    ['etc/a', '3', 3, [0, 0, 2]],
    ['/etc//./a/', '3', 3, [0, 0, 2]],
    ['up', '3', 3, [0, 0, 2]],
    ['usr/bin/sh', 'sh2', 2, [0, 2, 1]],
    ['old/y', '3', 3, [0, 0, 2]],
    ['file/inside', '3', 3, [0, 0, 2]],
    ['hard', '1', 1, [2, 1, 1]],
    ['etc/base', '1', 1, [2, 1, 1]],
    ['bin/sh', 'sh2', 2, [1, 2, 1]],
  ])('of %s the contents are %j, from layer %i', async (path, contents, layer, opened) => {
    const { bytes, found, ...rest } = await read(image, path);
    expect([Buffer.from(bytes).toString(), found.layer, rest.opened]).toEqual([contents, layer, opened]);
  });

  test.each([
    ['etc/gone', 'etc/gone', [0, 1, 1]],
    ['old/x', 'old/x', [0, 1, 1]],
    ['file/none', 'file/none', [1, 1, 1]],
    ['none', 'none', [1, 1, 1]],
    ['etc/a/b', 'etc/a', [0, 0, 1]],
  ])('%s is not there', async (path, missing, opened) => {
    const source = new MemorySource(image, { label: 'app:1' });
    const { signal } = new AbortController();
    const options = { source, platform: null, jobs: 1, maxScratch: 0, listener: () => {}, signal };
    const wish = { path: asByteString(path), layer: null, verify: true };
    await expect(withFile(options, wish, async () => {})).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `app:1 has no "${missing}"`,
    });
    expect(image.layers.map(({ digest }) => source.countOf(digest))).toEqual(opened);
  });

  test('the link that leads to what is missing is told of', async () => {
    const dangling = buildImage({ layers: [tar('a~>b', 'b~>/d/gone', 'dir~>d', 'd/')] });
    for (const [path, missing, link] of [
      ['a', 'd/gone', 'b'],
      ['dir/none', 'd/none', 'dir'],
    ] as const)
      await expect(read(dangling, path)).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: `app:1 has no "${missing}": the symbolic link "${link}" leads there`,
      });
  });

  test('with scratch, no layer is fetched twice', async () => {
    expect((await read(image, 'bin/sh', { maxScratch: 1e6 })).opened).toEqual([1, 1, 1]);
  });
});

describe('of one layer', () => {
  test.each([
    ['etc/a', 1, '1'],
    ['etc/gone', 1, '1'],
    ['bin/sh', 2, 'sh2'],
    ['old/x', 1, '1'],
    ['file', 1, '1'],
  ])('%s is what layer %i holds', async (path, layer, contents) => {
    expect(await text(image, path, { layer })).toBe(contents);
  });

  test('a file of another layer is told of', async () => {
    await expect(read(image, 'usr/bin/sh', { layer: 3 })).rejects.toMatchObject({
      message: 'layer 3 of app:1 has no "usr/bin/sh"',
      advice: 'Layer 2 has it: --layer 2 shows it.',
    });
    await expect(read(image, 'etc/a', { layer: 9 })).rejects.toMatchObject({ code: 'SELECTION_INVALID' });
  });
});

test.each([
  ['etc', 'a folder'],
  ['/', 'a folder'],
])('%s is not a file', async (path, what) => {
  await expect(read(image, path)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining(what) as string,
  });
});

test('symbolic links in a circle lead nowhere', async () => {
  await expect(read(image, 'self')).rejects.toMatchObject({ code: 'NOT_FOUND', message: /in a circle/ });
});

describe('a layer that changes behind the file', () => {
  const good = tar('a=1', `b=${'x'.repeat(5000)}`);
  const bad = good.map((byte, i) => (i === 2000 ? byte ^ 1 : byte));
  const one = buildImage({ layers: [good], compress: 'none' });
  const digest = one.layers[0]?.digest ?? '';
  const changing = (): { tree: BuiltImage; onOpen: (digest: string) => void } => {
    const blobs = new Map(one.blobs);
    let opened = 0;
    const onOpen = (each: string) => {
      if (each === digest && ++opened === 2) blobs.set(digest, bad);
    };
    return { tree: { ...one, blobs }, onOpen };
  };

  test('is found at its end', async () => {
    const { tree, onOpen } = changing();
    await expect(read(tree, 'a', { onOpen })).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('is not read to its end where that is not wanted', async () => {
    const { tree, onOpen } = changing();
    expect(await text(tree, 'a', { onOpen, verify: false })).toBe('1');
  });
});

test('a file with more holes than the limit allows is refused before a byte', async () => {
  const sparse = buildImage({
    layers: [
      writeTar([{ name: 's', body: Buffer.from('x'), sparse: { format: '1.0', size: 1e15, map: [[0, 1]] } }]),
    ],
  });
  const source = new MemorySource(sparse);
  const { signal } = new AbortController();
  const { defaultLimits } = await import('../../../src/limits.ts');
  const options = {
    source,
    platform: null,
    jobs: 1,
    maxScratch: 0,
    limits: defaultLimits,
    listener: () => {},
    signal,
  };
  const wish = { path: asByteString('s'), layer: null, verify: true };
  const reading = withFile(options, wish, ({ contents }) => collect(contents, 10, 'the file'));
  await expect(reading).rejects.toMatchObject({ code: 'LIMIT', message: /layer-bytes/ });
});
