import { zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { detect } from '../../../src/codec/detect.ts';
import type { Transform } from '../../../src/image/image.ts';
import { identity } from '../../../src/jobs/rewrite/run.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { prune } from '../../../src/slim/prune.ts';
import { squash } from '../../../src/slim/squash.ts';
import {
  type BlobDescriptor,
  type BuiltTree,
  buildImage,
  digestOf,
  type LayerCompression,
  MEDIA_TYPES,
} from '../../support/image-builder.ts';
import { mistyped as imageOf, mistypings, stating } from '../../support/mistyped.ts';
import { MemorySource, MemoryTarget } from '../../support/memory-store.ts';
import { list } from '../../support/model/shorthand.ts';
import { runTransform } from '../../support/run-image.ts';
import { imageIn, rewrite, tar } from '../rig.ts';

const all = { kind: 'all' } as const;
const layers = [tar('a=1', 'b=2'), tar('c=3'), tar('d=4', '.wh.a')];
const { docker, oci } = MEDIA_TYPES;

/** Returns an image of which one layer is packed in another way than its media type says. Default: the second. */
const mistyped = (stated: LayerCompression, actual: LayerCompression, at = 1) =>
  imageOf(layers, { stated, actual, at });

/** What each layer of an image states, and what its bytes are. */
function formatsIn(tree: BuiltTree): readonly (readonly [stated: string, actual: string])[] {
  return imageIn(tree).manifest.layers.map(({ mediaType, digest }) => [
    mediaType.replace(/^.*\.tar\+?/, '') || 'none',
    detect(tree.blobs.get(digest) as Uint8Array),
  ]);
}

const transforms: readonly (readonly [string, Transform])[] = [
  ['squash', squash(all)],
  ['squash of two', squash({ kind: 'last', count: 2 })],
  ['prune', prune(all, { rules: [parseRule('d', '--rule')] })],
  ['recompress to gzip', recompress(all, { kind: 'gzip', level: 6, engine: 'libdeflate' })],
  ['recompress to zstd', recompress(all, { kind: 'zstd', level: 3 })],
  ['recompress to plain', recompress(all, { kind: 'none' })],
];

describe.each(mistypings)('a layer that states %s and is %s', (stated, actual) => {
  const tree = mistyped(stated, actual);
  const source = buildImage({ layers });

  test.each(transforms)(
    '%s: is read as what it is, and the result states what it is',
    async (_, transform) => {
      const { tree: result } = await rewrite(tree, [transform]);
      const expected = await rewrite(source, [transform]);
      expect(list(...imageIn(result).layers)).toEqual(list(...imageIn(expected.tree).layers));
      for (const [says, is] of formatsIn(result)) expect(says).toBe(is);
    },
  );

  test('is copied as it is', async () => {
    const target = new MemoryTarget();
    const from = new MemorySource(tree);
    await runTransform({ source: from, target, transform: identity });
    expect(target.published?.descriptor.digest).toBe(tree.descriptor.digest);
    expect(from.opened).not.toContain(imageIn(source).manifest.layers[1]?.digest);
  });
});

test.each([
  ['none', 'zstd'],
  ['none', 'gzip'],
  ['gzip', 'none'],
] as const)(
  'a layer that states %s and is %s gets the right type where it stays, too',
  async (stated, actual) => {
    const tree = mistyped(stated, actual, 0);
    const { tree: result, source } = await rewrite(tree, [squash({ kind: 'last', count: 2 })]);
    expect(formatsIn(result)).toEqual([
      [actual, actual],
      ['gzip', 'gzip'],
    ]);
    const packed = buildImage({ layers, compress: [actual, 'gzip', 'gzip'] });
    expect(imageIn(result).manifest.layers[0]?.digest).toBe(packed.layers[0]?.digest);
    expect(source.held).toBe(0);
  },
);

test('bytes that are neither packed nor the tar are refused', async () => {
  const garbage = new TextEncoder().encode('neither of both');
  const tree = stating(buildImage({ layers }), (manifest) => {
    manifest.layers[1] = {
      ...(manifest.layers[1] as BlobDescriptor),
      digest: digestOf(garbage),
      size: garbage.length,
    };
  });
  const blobs = new Map([...tree.blobs, [digestOf(garbage), garbage]]);
  await expect(rewrite({ ...tree, blobs }, [squash(all)])).rejects.toMatchObject({ code: 'MEDIA_TYPE' });
});

describe('layers of Docker in zstd, as BuildKit writes them', () => {
  const type = 'application/vnd.docker.image.rootfs.diff.tar.zstd';
  const built = buildImage({ layers, compress: 'none', family: 'docker' });
  const packed = layers.map((bytes) => new Uint8Array(zstdCompressSync(bytes)));
  const base = stating(built, (manifest) => {
    manifest.layers = packed.map((bytes) => ({
      mediaType: type,
      digest: digestOf(bytes),
      size: bytes.length,
    }));
  });
  const tree = {
    ...base,
    blobs: new Map([...base.blobs, ...packed.map((each) => [digestOf(each), each] as const)]),
  };

  test.each(transforms)('%s: they are read, and no result has such a layer', async (name, transform) => {
    const { tree: result } = await rewrite(tree, [transform]);
    const types = imageIn(result).manifest.layers.map(({ mediaType }) => mediaType);
    expect(types).not.toContain(type);
    const isDocker = name === 'recompress to gzip' || name === 'recompress to plain';
    expect(result.descriptor.mediaType).toBe(isDocker ? docker.manifest : oci.manifest);
    expect(list(...imageIn(result).layers)).toEqual(
      list(...imageIn((await rewrite(built, [transform])).tree).layers),
    );
  });

  test('a copy to a registry keeps them', async () => {
    const target = new MemoryTarget();
    await runTransform({ source: new MemorySource(tree), target, transform: identity });
    expect(target.published?.descriptor).toMatchObject({
      digest: tree.descriptor.digest,
      mediaType: docker.manifest,
    });
  });
});

describe('a layer whose type names another packed format', () => {
  test.each([
    ['gzip', 'zstd'],
    ['zstd', 'gzip'],
  ] as const)('and that no stage reads keeps what it states: %s for %s', async (stated, actual) => {
    const tree = mistyped(stated, actual, 0);
    const base = JSON.parse(new TextDecoder().decode(tree.blobs.get(tree.descriptor.digest))) as {
      layers: BlobDescriptor[];
    };
    const from = new MemorySource(tree);
    const target = new MemoryTarget();
    await runTransform({ source: from, target, transform: squash({ kind: 'last', count: 2 }) });
    const { blobs, descriptor } = target.tree;
    const manifest = JSON.parse(new TextDecoder().decode(blobs.get(descriptor.digest))) as typeof base;
    const [before, after] = [base, manifest].map(({ layers: [first] }) => first);
    expect(after).toEqual(before);
    expect(from.countOf(after?.digest ?? '')).toBe(0);
  });
});
