import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { identity } from '../../../src/jobs/rewrite/run.ts';
import { annotate, configure } from '../../../src/configure/configure.ts';
import { noEdit } from '../../../src/image/config-edit.ts';
import { type Image, pipe } from '../../../src/image/image.ts';
import { prune } from '../../../src/slim/prune.ts';
import { squash } from '../../../src/slim/squash.ts';
import {
  type BlobDescriptor,
  type BuiltTree,
  buildImage,
  buildIndex,
  digestOf,
  jsonBytes,
  MEDIA_TYPES,
} from '../../support/image-builder.ts';
import { list } from '../../support/model/shorthand.ts';
import { indexOf } from '../../support/artifacts.ts';
import { stating } from '../../support/mistyped.ts';
import { MemorySource, MemoryTarget } from '../../support/memory-store.ts';
import { runTransform } from '../../support/run-image.ts';
import { fail, imageIn, rewrite, tar } from '../rig.ts';

const all = { kind: 'all' } as const;
const zstd = { kind: 'zstd', level: 3 } as const;
const layers = [tar('a=1'), tar('b=2'), tar('.wh.a')];

function typesIn(tree: BuiltTree, platform?: string): string[] {
  const { manifest, descriptor } = imageIn(tree, platform);
  return [
    descriptor.mediaType,
    manifest.config.mediaType,
    ...manifest.layers.map(({ mediaType }) => mediaType),
  ];
}

describe('Docker schema 2', () => {
  const built = buildImage({ layers, family: 'docker' });
  const { docker, oci } = MEDIA_TYPES;

  test.each([
    ['gzip', recompress(all, { kind: 'gzip', level: 12, engine: 'libdeflate' })],
    ['none', recompress(all, { kind: 'none' })],
    ['squash', squash(all)],
    ['prune', prune(all, { shadowed: true })],
  ] as const)('%s: it stays Docker', async (what, transform) => {
    const { tree, warnings } = await rewrite(built, [transform]);
    const [manifest, config, ...types] = typesIn(tree);
    expect([manifest, config]).toEqual([docker.manifest, docker.config]);
    expect(new Set(types)).toEqual(new Set([docker.layer[what === 'none' ? 'none' : 'gzip']]));
    expect(warnings).toEqual([]);
  });

  test('zstd makes it OCI and says so', async () => {
    const { tree, warnings } = await rewrite(built, [recompress(all, zstd)]);
    expect(typesIn(tree)).toEqual([oci.manifest, oci.config, ...layers.map(() => oci.layer.zstd)]);
    expect(warnings).toEqual([expect.stringMatching(/^FAMILY_CHANGED the manifest becomes OCI/)]);
  });

  test('zstd for some layers: the others get the OCI type of what they are', async () => {
    const { tree } = await rewrite(built, [recompress({ kind: 'last', count: 1 }, zstd)]);
    expect(typesIn(tree)).toEqual([oci.manifest, oci.config, oci.layer.gzip, oci.layer.gzip, oci.layer.zstd]);
    expect(imageIn(tree).manifest.layers[0]?.digest).toBe(built.layers[0]?.digest);
  });

  test('a list becomes an OCI index as a whole, children that did not change included', async () => {
    const arm = buildImage({
      layers: [tar('x=1')],
      family: 'docker',
      platform: { os: 'linux', architecture: 'arm64' },
    });
    const index = buildIndex({ images: [built, arm], family: 'docker' });
    const { tree, warnings } = await rewrite(index, [
      (image: Image) =>
        image.config.platform?.architecture === 'amd64' ? recompress(all, zstd)(image) : image,
    ]);
    expect(tree.descriptor.mediaType).toBe(oci.index);
    expect(typesIn(tree, 'linux/arm64')).toEqual([oci.manifest, oci.config, oci.layer.gzip]);
    expect(warnings).toEqual([
      expect.stringMatching(/^FAMILY_CHANGED the index and its manifests become OCI/),
    ]);
  });

  test('a list stays a list for gzip', async () => {
    const index = buildIndex({ images: [built], family: 'docker' });
    const { tree } = await rewrite(index, [squash(all)]);
    expect(tree.descriptor.mediaType).toBe(docker.index);
    expect(typesIn(tree)[0]).toBe(docker.manifest);
  });

  test('OCI layers in a Docker manifest get one family with what is rewritten', async () => {
    const mixed = stating(buildImage({ layers, family: 'docker' }), (manifest) => {
      manifest.layers[0] = { ...(manifest.layers[0] as BlobDescriptor), mediaType: oci.layer.gzip };
    });
    const { tree } = await rewrite(mixed, [squash({ kind: 'last', count: 2 })]);
    expect(new Set(typesIn(tree))).toEqual(new Set([docker.manifest, docker.config, docker.layer.gzip]));
  });

  test('an OCI zstd layer that is kept in a Docker manifest makes the result OCI', async () => {
    const packed = buildImage({ layers, compress: ['zstd', 'gzip', 'gzip'] });
    const mixed = stating(buildImage({ layers, family: 'docker' }), (manifest) => {
      manifest.layers[0] = packed.layers[0] as BlobDescriptor;
    });
    const tree = { ...mixed, blobs: new Map([...packed.blobs, ...mixed.blobs]) };
    const { tree: result, warnings } = await rewrite(tree, [squash({ kind: 'last', count: 2 })]);
    expect(typesIn(result)).toEqual([oci.manifest, oci.config, oci.layer.zstd, oci.layer.gzip]);
    expect(warnings).toEqual([expect.stringMatching(/^FAMILY_CHANGED/)]);
  });
});

test('OCI input stays OCI for every command', async () => {
  const built = buildImage({ layers, compress: ['zstd', 'gzip', 'none'] });
  const { tree } = await rewrite(built, [squash({ kind: 'last', count: 2 })]);
  // A squashed range is packed as its topmost layer was.
  expect(typesIn(tree).slice(2)).toEqual([MEDIA_TYPES.oci.layer.zstd, MEDIA_TYPES.oci.layer.none]);
});

describe('foreign layers', () => {
  const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
  const windows = stating(buildImage({ layers, family: 'docker' }), (manifest) => {
    manifest.layers[0] = {
      ...(manifest.layers[0] as BlobDescriptor),
      mediaType: foreign,
      urls: ['https://example.test/layer'],
    } as BlobDescriptor;
  });
  const digest = buildImage({ layers, family: 'docker' }).layers[0]?.digest ?? '';
  // The model's validator wants every blob to be there.
  const target = { there: new Map([...windows.blobs].filter(([key]) => key === digest)) };

  test('recompress leaves them as they are, with a warning', async () => {
    const { tree, warnings, source } = await rewrite(
      windows,
      [recompress(all, { kind: 'gzip', level: 12, engine: 'libdeflate' })],
      { target },
    );
    expect(imageIn(tree).manifest.layers[0]).toMatchObject({
      mediaType: foreign,
      digest,
      urls: ['https://example.test/layer'],
    });
    expect(warnings).toEqual([expect.stringMatching(/^LAYER_SKIPPED layer 1 stays as it is/)]);
    expect(source.countOf(digest)).toBe(0);
  });

  test('in an image that becomes OCI they get the OCI type of foreign layers', async () => {
    const { tree } = await rewrite(windows, [recompress(all, zstd)], { target });
    expect(imageIn(tree).manifest.layers[0]).toMatchObject({
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      digest,
    });
  });

  test('they cannot be squashed or pruned', async () => {
    for (const transform of [squash(all), prune(all, { shadowed: true })]) {
      const { error } = await fail(windows, [transform]);
      expect(error.advice).toMatch(/other layers.*to prune, ocislim must read every layer/);
      expect(error.code).toBe('UNSUPPORTED');
      expect(error.message).toBe(
        'source registry.test:5000/app:1, layer 1: it is a non-distributable layer, whose bytes are not in the registry',
      );
    }
    await rewrite(windows, [squash({ kind: 'last', count: 2 })], { target });
  });

  test('their bytes need not be in the source', async () => {
    const blobs = new Map(windows.blobs);
    const imageManifest = JSON.parse(new TextDecoder().decode(blobs.get(windows.descriptor.digest)));
    blobs.delete(digest);
    for (const transform of [
      identity,
      recompress(all, { kind: 'none' }),
      squash({ kind: 'last', count: 2 }),
    ]) {
      for (const registry of ['https://other.test', 'http://registry.test:5000']) {
        const target = new MemoryTarget({ mountable: { registry, repository: 'app' } });
        await runTransform({
          source: new MemorySource({ ...windows, blobs }),
          target,
          transform,
          jobs: 1,
          maxScratch: 0,
        });
        expect(JSON.parse(new TextDecoder().decode(target.published?.bytes))).toHaveProperty('layers.0', {
          ...imageManifest.layers[0],
          digest,
          urls: ['https://example.test/layer'],
        });
        expect(target.blobs.has(digest)).toBe(false);
      }
    }
  });
});

describe.each([
  'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
  'application/vnd.oci.image.layer.v1.tar+zstd+encrypted',
  'application/vnd.oci.image.layer.v1.tar+xz',
  'application/vnd.example.layer',
])('T13: a layer of the type %s', (mediaType) => {
  const strange = stating(buildImage({ layers }), (manifest) => {
    manifest.layers[1] = { ...(manifest.layers[1] as BlobDescriptor), mediaType };
  });

  test('is kept as it is by recompress and by a copy', async () => {
    // The model reads no such layer either: what was published is read by hand.
    const manifestOf = (bytes: Uint8Array | undefined) =>
      JSON.parse(new TextDecoder().decode(bytes)) as { layers: BlobDescriptor[] };
    const [, before] = manifestOf(strange.blobs.get(strange.descriptor.digest)).layers;
    for (const transform of [
      identity,
      recompress(all, zstd),
      recompress({ kind: 'range', from: 3, to: 3 }, zstd),
    ]) {
      const target = new MemoryTarget();
      await runTransform({
        source: new MemorySource(strange),
        target,
        transform,
        jobs: 1,
        maxScratch: 0,
      });
      expect(manifestOf(target.published?.bytes).layers[1]).toEqual(before);
      expect(target.blobs.get(before?.digest ?? '')).toEqual(strange.blobs.get(before?.digest ?? ''));
    }
  });

  test('is refused by commands that must read it', async () => {
    for (const transform of [squash(all), prune(all, { shadowed: true })]) {
      const { error } = await fail(strange, [transform]);
      expect(error.code).toBe('UNSUPPORTED');
      expect(error.message).toContain(
        `layer 2: it is of the media type ${JSON.stringify(mediaType)}, which ocislim cannot read`,
      );
    }
  });
});

describe('annotations', () => {
  const stale = {
    'containerd.io/snapshot/stargz/toc.digest': 'sha256:1',
    'io.containers.estargz.uncompressed-size': '10240',
    'io.github.containers.zstd-chunked.manifest-checksum': 'sha256:2',
    'org.example.mine': 'kept',
  };
  const base = {
    'org.opencontainers.image.base.digest': 'sha256:3',
    'org.opencontainers.image.base.name': 'base:1',
    'org.opencontainers.image.title': 'kept',
  };
  const built = buildImage({ layers, annotations: base, layerAnnotations: [stale, stale, stale] });

  test('T14: those about the compression are removed with their blob', async () => {
    const { tree } = await rewrite(built, [recompress({ kind: 'range', from: 2, to: 2 }, zstd)]);
    expect(imageIn(tree).manifest.layers.map(({ annotations }) => annotations)).toEqual([
      stale,
      { 'org.example.mine': 'kept' },
      stale,
    ]);
  });

  test('T14: a squashed layer has none', async () => {
    const { tree } = await rewrite(built, [squash({ kind: 'last', count: 2 })]);
    expect(imageIn(tree).manifest.layers.map(({ annotations }) => annotations)).toEqual([stale, undefined]);
  });

  test('T14: those about the base image stay if layer 1 keeps its contents, and are removed otherwise', async () => {
    expect(imageIn((await rewrite(built, [recompress(all, zstd)])).tree).manifest.annotations).toEqual(base);
    expect(
      imageIn((await rewrite(built, [squash({ kind: 'last', count: 2 })])).tree).manifest.annotations,
    ).toEqual(base);
    expect(imageIn((await rewrite(built, [squash(all)])).tree).manifest.annotations).toEqual({
      'org.opencontainers.image.title': 'kept',
    });
    expect(
      imageIn((await rewrite(built, [prune(all, { shadowed: true })])).tree).manifest.annotations,
    ).toEqual({ 'org.opencontainers.image.title': 'kept' });
  });

  test('requested annotations override existing ones, and this rule', async () => {
    const wanted = { 'org.opencontainers.image.base.name': 'mine', 'org.opencontainers.image.title': 'new' };
    const label = (image: Image): Image =>
      pipe(
        annotate(wanted),
        configure({ ...noEdit, labels: { set: { made: 'anew', more: 'x' }, unset: [] } }),
      )(image);
    const { tree } = await rewrite(built, [squash(all), label]);
    const image = imageIn(tree);
    expect(image.manifest.annotations).toEqual(wanted);
    expect(image.config.config).toEqual({
      Env: ['PATH=/usr/bin:/bin'],
      Cmd: ['/bin/sh'],
      Labels: { made: 'anew', more: 'x' },
    });
  });

  test('labels and annotations alone change the manifest and no layer', async () => {
    const { tree, target } = await rewrite(built, [annotate({ a: 'b' })]);
    expect(imageIn(tree).manifest).toMatchObject({
      annotations: { ...base, a: 'b' },
      layers: built.layers,
      config: { digest: digestOf(built.config) },
    });
    expect(target.count('stage')).toBe(0);
  });
});

test('a changed image loses its subject, with a warning', async () => {
  const subject = { mediaType: MEDIA_TYPES.oci.manifest, digest: digestOf(jsonBytes('other')), size: 7 };
  const built = stating(buildImage({ layers }), (manifest) => Object.assign(manifest, { subject }));
  const kept = await rewrite(built, [identity]);
  expect(kept.tree.descriptor.digest).toBe(built.descriptor.digest);
  expect(kept.warnings).toEqual([]);
  const { tree, warnings } = await rewrite(built, [squash(all)]);
  expect(JSON.parse(new TextDecoder().decode(tree.blobs.get(tree.descriptor.digest)))).not.toHaveProperty(
    'subject',
  );
  expect(warnings).toEqual([
    `REFERRERS_LEFT the source says of itself that it refers to ${subject.digest}; the new image does not say so`,
  ]);
});

test('unknown keys of the manifest and of descriptors stay', async () => {
  const odd = stating(buildImage({ layers }), (manifest) => {
    Object.assign(manifest, { 'x-manifest': 1 });
    Object.assign(manifest.config, { 'x-config': 2, data: 'e30=' });
    Object.assign(manifest.layers[0] as object, { 'x-layer': 3, data: 'AAAA' });
  });
  const { tree } = await rewrite(odd, [
    recompress({ kind: 'range', from: 1, to: 1 }, zstd),
    squash({ kind: 'last', count: 2 }),
  ]);
  const manifest = JSON.parse(new TextDecoder().decode(tree.blobs.get(tree.descriptor.digest)));
  expect(manifest).toMatchObject({
    'x-manifest': 1,
    config: { 'x-config': 2 },
    layers: [{ 'x-layer': 3 }, {}],
  });
  // Embedded copies of the old bytes go.
  expect(JSON.stringify(manifest)).not.toContain('"data"');
  expect(list(...imageIn(tree).layers)).toEqual(['b=2']);
});

describe('a place where only OCI manifests are read', () => {
  const { docker, oci } = MEDIA_TYPES;
  const target = { family: 'oci' } as const;
  const built = buildImage({ layers, family: 'docker', compress: ['gzip', 'none', 'gzip'] });
  const told = [expect.stringMatching(/^FAMILY_CHANGED the .* OCI: in an OCI layout, skopeo/) as string];

  test.each([
    ['a copy', identity],
    ['a squash', squash(all)],
  ] as const)(
    'gets an image of Docker as OCI by %s, with a warning; config and blobs stay',
    async (_, transform) => {
      const { tree, warnings } = await rewrite(built, [transform], { target });
      const same = await rewrite(built, [transform]);
      const [manifest, config, ...types] = typesIn(tree);
      expect([manifest, config]).toEqual([oci.manifest, oci.config]);
      expect(types).toEqual(
        typesIn(same.tree)
          .slice(2)
          .map((type) => (type === docker.layer.none ? oci.layer.none : oci.layer.gzip)),
      );
      const digests = (each: BuiltTree) =>
        [imageIn(each).manifest.config, ...imageIn(each).manifest.layers].map(({ digest }) => digest);
      expect(digests(tree)).toEqual(digests(same.tree));
      expect(warnings).toEqual(told);
    },
  );

  test('gets a list of Docker as an index, nested ones too', async () => {
    const arm = buildImage({ layers, platform: { os: 'linux', architecture: 'arm64' } });
    const index = buildIndex({ images: [built, arm], family: 'docker' });
    const { tree, warnings } = await rewrite(index, [identity], { target });
    expect(tree.descriptor.mediaType).toBe(oci.index);
    expect(typesIn(tree, 'linux/amd64')[0]).toBe(oci.manifest);
    expect(imageIn(tree, 'linux/arm64').descriptor.digest).toBe(arm.descriptor.digest);
    expect(warnings).toEqual(told);
    const outer = new MemoryTarget(target);
    await runTransform({ source: new MemorySource(indexOf([index])), target: outer, transform: identity });
    const types = [...outer.blobs.values()].flatMap((bytes) => {
      const text = new TextDecoder().decode(bytes);
      return text.startsWith('{"schemaVersion"')
        ? [(JSON.parse(text) as { mediaType: string }).mediaType]
        : [];
    });
    expect(types.filter((type) => type.includes('docker'))).toEqual([]);
  });

  test('gets what is OCI as it is, without a word', async () => {
    const image = buildImage({ layers });
    const { tree, warnings } = await rewrite(image, [identity], { target });
    expect(tree.descriptor.digest).toBe(image.descriptor.digest);
    expect(warnings).toEqual([]);
  });

  test('gets layers of a type that nothing knows under that type', async () => {
    const strange = stating(buildImage({ layers, family: 'docker' }), (manifest) => {
      manifest.layers[1] = {
        ...(manifest.layers[1] as BlobDescriptor),
        mediaType: 'application/vnd.example.layer',
      };
    });
    const place = new MemoryTarget(target);
    await runTransform({ source: new MemorySource(strange), target: place, transform: identity });
    expect(JSON.parse(new TextDecoder().decode(place.published?.bytes))).toMatchObject({
      mediaType: oci.manifest,
      layers: [
        { mediaType: oci.layer.gzip },
        { mediaType: 'application/vnd.example.layer' },
        { mediaType: oci.layer.gzip },
      ],
    });
  });
});
