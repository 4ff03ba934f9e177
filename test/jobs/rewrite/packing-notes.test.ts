import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { configure } from '../../../src/configure/configure.ts';
import { noEdit } from '../../../src/image/config-edit.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { prune } from '../../../src/slim/prune.ts';
import { squash } from '../../../src/slim/squash.ts';
import { indexOf, rowOf } from '../../support/artifacts.ts';
import {
  type BlobDescriptor,
  type BuiltTree,
  buildImage,
  digestOf,
  type LayerCompression,
} from '../../support/image-builder.ts';
import { rewrite, tar } from '../rig.ts';

const all = { kind: 'all' } as const;
const gzip = recompress(all, { kind: 'gzip', level: 6, engine: 'libdeflate' });
const zstd = recompress(all, { kind: 'zstd', level: 3 });
const note = 'io.github.containers.compression.zstd';
const chunked = {
  'io.github.containers.zstd-chunked.manifest-checksum': 'sha256:1',
  'io.github.containers.zstd-chunked.manifest-position': '1:2:3:1',
  'io.github.containers.zstd-chunked.tarsplit-position': '1:2:3',
};
const layers = [tar('a=1'), tar('b=2')];

function imageIn(compress: LayerCompression, architecture = 'amd64'): BuiltTree {
  const annotations = compress === 'zstd' ? { [note]: 'true', kept: 'yes' } : {};
  return rowOf(
    buildImage({
      layers,
      compress,
      annotations,
      platform: { os: 'linux', architecture },
      layerAnnotations: compress === 'zstd' ? [chunked, chunked] : [],
    }),
    { platform: { os: 'linux', architecture }, annotations },
  );
}

/** As podman pushes with `--add-compression zstd`. */
const variants = indexOf([imageIn('gzip'), imageIn('zstd')], {
  annotations: { [note]: 'true', kept: 'yes' },
});

interface Document {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly manifests?: readonly BlobDescriptor[];
  readonly layers?: readonly BlobDescriptor[];
}

function documentsIn({ blobs, descriptor }: BuiltTree): readonly Document[] {
  const read = (digest: string) => JSON.parse(new TextDecoder().decode(blobs.get(digest))) as Document;
  const root = read(descriptor.digest);
  return [root, ...(root.manifests ?? []).map(({ digest }) => read(digest))];
}

describe('what says of an image that it is packed in zstd', () => {
  test.each([
    ['recompress to gzip', gzip],
    ['recompress to plain', recompress(all, { kind: 'none' })],
  ])('goes with %s: from rows, index, manifests and layers', async (_, transform) => {
    const { tree } = await rewrite(variants, [transform]);
    expect(JSON.stringify(documentsIn(tree))).not.toMatch(/compression\.zstd|zstd-chunked/);
    const [root] = documentsIn(tree);
    expect(root?.annotations).toEqual({ kept: 'yes' });
    expect(root?.manifests?.map(({ annotations }) => annotations)).toEqual([{}, { kept: 'yes' }]);
  });

  test('comes with zstd to rows that have others for their platform, as podman expects, and to no others', async () => {
    const { tree } = await rewrite(indexOf([imageIn('gzip'), imageIn('zstd'), imageIn('gzip', 'arm64')]), [
      zstd,
    ]);
    const [root] = documentsIn(tree);
    expect(root?.manifests?.map(({ annotations }) => annotations?.[note])).toEqual([
      'true',
      'true',
      undefined,
    ]);
  });

  test('stays where a squash leaves zstd', async () => {
    const { tree } = await rewrite(variants, [squash(all)]);
    const [root] = documentsIn(tree);
    expect(root?.manifests?.map(({ annotations }) => annotations?.[note])).toEqual([undefined, 'true']);
    expect(root?.annotations).toEqual({ [note]: 'true', kept: 'yes' });
    expect(JSON.stringify(documentsIn(tree))).not.toMatch(/zstd-chunked/);
  });

  test('goes from the row of a nested index, too', async () => {
    const nested = rowOf(indexOf([imageIn('zstd')]), { annotations: { [note]: 'true' } });
    const { tree } = await rewrite(indexOf([nested, imageIn('gzip', 'arm64')]), [gzip]);
    expect(documentsIn(tree)[0]?.manifests?.[0]).not.toHaveProperty('annotations');
  });
});

describe('what leads into the blobs of layers, or was made from them', () => {
  const soci = { 'com.amazon.soci.index-digest': 'sha256:1' };
  const annotated = (compress: LayerCompression) =>
    rowOf(
      buildImage({
        layers,
        compress,
        annotations: { ...soci, kept: 'yes' },
        layerAnnotations: layers.map((bytes) => ({ 'containerd.io/uncompressed': digestOf(bytes) })),
      }),
      { annotations: { ...soci, kept: 'yes' } },
    );
  const uncompressedIn = (document: Document | undefined) =>
    document?.layers?.map(({ annotations }) => annotations?.['containerd.io/uncompressed']);

  test('goes with the blobs, and the DiffID of a layer with its contents', async () => {
    const [root, image] = documentsIn((await rewrite(indexOf([annotated('gzip')]), [zstd])).tree);
    expect(root?.manifests?.[0]?.annotations).toEqual({ kept: 'yes' });
    expect(image?.annotations).toEqual({ kept: 'yes' });
    expect(uncompressedIn(image)).toEqual(layers.map(digestOf));
    const rule = prune(all, { rules: [parseRule('a', '--rule')] });
    const pruned = documentsIn((await rewrite(indexOf([annotated('gzip')]), [rule])).tree)[1];
    expect(uncompressedIn(pruned)).toEqual([undefined, digestOf(layers[1] as Uint8Array)]);
  });

  test('stays where only a label changes', async () => {
    const labelled = configure({ ...noEdit, labels: { set: { a: 'b' }, unset: [] } });
    const [root, image] = documentsIn((await rewrite(indexOf([annotated('gzip')]), [labelled])).tree);
    expect(root?.manifests?.[0]?.annotations).toEqual({ ...soci, kept: 'yes' });
    expect(image?.annotations).toMatchObject(soci);
  });
});
