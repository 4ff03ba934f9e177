import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { layerStack } from './arbitrary/layers.ts';
import {
  buildImage,
  buildIndex,
  type BuiltImage,
  digestOf,
  jsonBytes,
  openLayout,
  readImage,
  readImageFrom,
  validateImage,
  validateTree,
  writeLayout,
} from './image-builder.ts';
import type { ConfigDocument, ManifestDocument } from './image-reader.ts';
import { bytesOf, concat } from './model/byte-string.ts';
import { writeTar } from './model/tar-bytes.ts';

const tars = [writeTar([{ name: 'a', body: bytesOf('1') }]), writeTar([{ name: '.wh.a' }]), writeTar([])];

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ocislim-model-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** The image with its manifest, its config or its first layer changed, and all digests above made right again. */
function altered(
  image: BuiltImage,
  change: {
    manifest?: (manifest: Record<string, unknown>) => void;
    config?: (config: Record<string, unknown>) => void;
    layer?: Uint8Array;
  },
): BuiltImage {
  const blobs = new Map(image.blobs);
  const put = (bytes: Uint8Array) => {
    blobs.set(digestOf(bytes), bytes);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const manifest = parse(image.manifest) as Record<string, unknown> & ManifestDocument;
  const config = parse(image.config) as Record<string, unknown>;
  change.config?.(config);
  Object.assign(manifest.config, put(jsonBytes(config)));
  if (change.layer !== undefined) Object.assign(manifest.layers[0] ?? {}, put(change.layer));
  change.manifest?.(manifest);
  return { ...image, blobs, descriptor: { ...image.descriptor, ...put(jsonBytes(manifest)) } };
}

describe('buildImage', () => {
  it.each([
    ['oci', 'gzip'],
    ['oci', 'none'],
    ['oci', 'zstd'],
    ['docker', 'gzip'],
    ['docker', 'none'],
  ] as const)('makes a valid image: %s, %s', (family, compress) => {
    for (const history of ['full', 'none', 'with-empty-layers'] as const) {
      const image = buildImage({ layers: tars, family, compress, history });
      expect(validateImage(image, { completeTars: true })).toEqual([]);
      expect(image.diffIds).toEqual(tars.map(digestOf));
      const { config, tars: read } = readImageFrom(image);
      expect(read).toEqual(tars);
      expect(config.history?.filter((row) => row.empty_layer).length).toBe(
        { full: 0, none: undefined, 'with-empty-layers': 4 }[history],
      );
    }
  });

  it('gives the same bytes for the same recipe', () => {
    const recipe = { layers: tars, compress: ['gzip', 'zstd', 'none'] as const };
    expect(buildImage(recipe)).toEqual(buildImage(recipe));
  });

  it('knows no zstd in Docker images', () => {
    expect(() => buildImage({ layers: tars, family: 'docker', compress: 'zstd' })).toThrow(RangeError);
  });

  it('takes what it is told', () => {
    const image = buildImage({
      layers: [tars[0] ?? new Uint8Array()],
      config: { author: 'me', config: { Entrypoint: ['/a'] } },
      platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
      annotations: { a: 'b' },
      layerAnnotations: [{ c: 'd' }],
    });
    expect(parse(image.config)).toMatchObject({
      author: 'me',
      variant: 'v7',
      config: { Entrypoint: ['/a'] },
    });
    expect(parse(image.manifest)).toMatchObject({
      annotations: { a: 'b' },
      layers: [{ annotations: { c: 'd' } }],
    });
    expect(image.descriptor.platform?.architecture).toBe('arm');
  });
});

describe('validateImage', () => {
  const image = buildImage({ layers: tars });

  it('misses no wrong byte in any blob', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (which, where) => {
        const [digest = '', bytes = new Uint8Array()] = [...image.blobs][which % image.blobs.size] ?? [];
        const wrong = new Uint8Array(bytes);
        const at = where % wrong.length;
        wrong[at] = (wrong[at] ?? 0) ^ 1;
        expect(validateImage({ ...image, blobs: new Map(image.blobs).set(digest, wrong) })).not.toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, Parameters<typeof altered>[1], RegExp]>([
    [
      'a wrong DiffID',
      {
        config: (config) =>
          Object.assign(config, {
            rootfs: { type: 'layers', diff_ids: [digestOf(bytesOf('')), ...image.diffIds.slice(1)] },
          }),
      },
      /layer 1: DiffID/,
    ],
    [
      'too few DiffIDs',
      {
        config: (config) =>
          Object.assign(config, { rootfs: { type: 'layers', diff_ids: image.diffIds.slice(1) } }),
      },
      /2 DiffIDs for 3 layers/,
    ],
    [
      'a history row too few',
      { config: (config) => (config['history'] as unknown[]).pop() },
      /2 history rows/,
    ],
    [
      'no architecture',
      { config: (config) => Object.assign(config, { architecture: '' }) },
      /no architecture/,
    ],
    [
      'another platform',
      { config: (config) => Object.assign(config, { architecture: 'arm64' }) },
      /not for linux\/amd64/,
    ],
    [
      'a wrong size',
      {
        manifest: (manifest) =>
          Object.assign((manifest as unknown as ManifestDocument).layers[1] ?? {}, { size: 3 }),
      },
      /layer 2: \d+ bytes, said to be 3/,
    ],
    [
      'a layer of the other family',
      {
        manifest: (manifest) =>
          Object.assign((manifest as unknown as ManifestDocument).layers[1] ?? {}, {
            mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
          }),
      },
      /layer 2: .* family oci/,
    ],
    [
      'a config of the other family',
      {
        manifest: (manifest) =>
          Object.assign((manifest as unknown as ManifestDocument).config, {
            mediaType: 'application/vnd.docker.container.image.v1+json',
          }),
      },
      /config: .* family oci/,
    ],
    [
      'another media type inside',
      {
        manifest: (manifest) =>
          Object.assign(manifest, { mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }),
      },
      /calls itself/,
    ],
    [
      'a manifest that is an index too',
      { manifest: (manifest) => Object.assign(manifest, { manifests: [] }) },
      /has manifests/,
    ],
    ['no layers', { manifest: (manifest) => delete manifest['layers'] }, /has no layers/],
    [
      'zstd that is called gzip',
      { layer: new Uint8Array(zstdCompressSync(tars[0] ?? '')) },
      /is zstd, its media type says gzip/,
    ],
    [
      'a plain tar that is called gzip',
      { layer: tars[0] ?? new Uint8Array() },
      /is none, its media type says gzip/,
    ],
    ['bytes after gzip', { layer: concat([gzipSync(tars[0] ?? ''), new Uint8Array(9)]) }, /9 bytes after/],
    [
      'a cut gzip',
      { layer: new Uint8Array(gzipSync(tars[0] ?? '')).subarray(0, 30) },
      /layer 1: unexpected end/,
    ],
    [
      'no tar',
      { layer: new Uint8Array(gzipSync(bytesOf('no tar'.repeat(200)))) },
      /layer 1: a wrong checksum|layer 1: no octal/,
    ],
  ])('finds %s', (_, change, problem) => {
    expect(validateImage(altered(image, change)).join('\n')).toMatch(problem);
  });

  it('finds a missing blob', () => {
    for (const digest of image.blobs.keys()) {
      const blobs = new Map(image.blobs);
      blobs.delete(digest);
      expect(validateImage({ ...image, blobs }).join('\n')).toContain('no blob');
    }
  });

  it('reads gzip and zstd of several parts', () => {
    const [tar = new Uint8Array()] = tars;
    const [one, two] = [tar.subarray(0, 700), tar.subarray(700)];
    expect(validateImage(altered(image, { layer: concat([gzipSync(one), gzipSync(two)]) }))).toEqual([]);
    const zstd = buildImage({ layers: tars, compress: 'zstd' });
    const skippable = new Uint8Array([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const layer = concat([skippable, zstdCompressSync(one), skippable, zstdCompressSync(two)]);
    expect(validateImage(altered(zstd, { layer }))).toEqual([]);
  });

  it('tells an untidy tar where asked', () => {
    const untidy = buildImage({ layers: [writeTar([{ name: 'a', body: bytesOf('1') }], 'untidy')] });
    expect(validateImage(untidy)).toEqual([]);
    expect(validateImage(untidy, { completeTars: true })).toEqual(['layer 1: its tar has no proper end']);
  });
});

describe('buildIndex', () => {
  const images = [
    buildImage({ layers: tars }),
    buildImage({ layers: tars.slice(0, 1), platform: { os: 'linux', architecture: 'arm64' } }),
  ];

  it('joins images and their attestations', () => {
    const index = buildIndex({ images, attestations: true });
    expect(validateTree(index)).toEqual([]);
    const { manifests } = parse(index.index) as {
      manifests: { annotations?: Record<string, string>; platform: unknown }[];
    };
    expect(manifests).toHaveLength(4);
    expect(manifests[3]).toMatchObject({
      platform: { architecture: 'unknown', os: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': images[1]?.descriptor.digest,
      },
    });
    expect(readImageFrom(index, 'linux/arm64').layers).toHaveLength(1);
    expect(() => readImageFrom(index)).toThrow('2 images');
    expect(() => readImageFrom(index, 'linux/s390x')).toThrow('0 images');
  });

  it('is validated to its leaves', () => {
    const index = buildIndex({ images, attestations: true });
    for (const digest of index.blobs.keys()) {
      const blobs = new Map(index.blobs);
      blobs.delete(digest);
      expect(validateTree({ ...index, blobs }), digest).not.toEqual([]);
    }
    const mixed = buildIndex({ images, family: 'docker' });
    expect(validateTree(mixed).join('\n')).toContain('in an index of family docker');
    const orphan = buildIndex({ images: images.slice(0, 1), attestations: true });
    const { digest } = images[0]?.descriptor ?? { digest: '' };
    const text = new TextDecoder()
      .decode(orphan.index)
      .replace(
        `"vnd.docker.reference.digest":"${digest}"`,
        `"vnd.docker.reference.digest":"${digestOf(bytesOf('x'))}"`,
      );
    const index2 = new TextEncoder().encode(text);
    const blobs = new Map(orphan.blobs).set(digestOf(index2), index2);
    const descriptor = { ...orphan.descriptor, digest: digestOf(index2), size: index2.length };
    expect(validateTree({ blobs, descriptor }).join('\n')).toContain('which the index does not have');
  });
});

describe('an OCI layout', () => {
  it('comes back as it was written', async () => {
    const image = buildImage({ layers: tars, compress: 'zstd' });
    const index = buildIndex({ images: [image], attestations: true });
    await writeLayout(directory, { one: image, all: index });
    expect((await readImage(directory, { tag: 'one' })).descriptor.digest).toBe(image.descriptor.digest);
    const read = await readImage(directory, { tag: 'all', platform: 'linux/amd64' });
    expect(read.tars).toEqual(tars);
    expect((read.config satisfies ConfigDocument).rootfs.diff_ids).toEqual(image.diffIds);
    expect(validateTree(await openLayout(directory, 'all'))).toEqual([]);
    await expect(readImage(directory)).rejects.toThrow('2 manifests');
    await expect(readImage(directory, { tag: 'none' })).rejects.toThrow('0 manifests');
  });

  it('is refused where a blob is wrong', async () => {
    const image = buildImage({ layers: tars });
    await writeLayout(directory, { t: image });
    await writeFile(join(directory, 'blobs', 'sha256', image.layers[0]?.digest.slice(7) ?? ''), 'wrong');
    await expect(readImage(directory, { tag: 't' })).rejects.toThrow('layer 1: the bytes are not those of');
  });

  it('holds any stack of layers', async () => {
    await fc.assert(
      fc.asyncProperty(
        layerStack(),
        fc.constantFrom('gzip', 'none', 'zstd'),
        async ({ layers }, compress) => {
          await rm(directory, { recursive: true, force: true });
          await writeLayout(directory, { t: buildImage({ layers: layers.map(({ tar }) => tar), compress }) });
          const { tars: read } = await readImage(directory, { tag: 't' });
          expect(read).toEqual(layers.map(({ tar }) => tar));
        },
      ),
      { numRuns: 20 },
    );
  });
});
