import { describe, expect, test } from 'vitest';
import { recompress } from '../../src/compress/recompress.ts';
import { identity } from '../../src/jobs/rewrite/run.ts';
import type { Platform } from '../../src/oci/platform.ts';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import {
  type BlobDescriptor,
  type BuiltImage,
  type BuiltTree,
  buildAttestation,
  buildImage,
  buildIndex,
  digestOf,
  jsonBytes,
  MEDIA_TYPES,
} from '../support/image-builder.ts';
import { list } from '../support/model/shorthand.ts';
import { MemorySource, MemoryTarget } from '../support/memory-store.ts';
import { runTransform } from '../support/run-image.ts';
import { digestsOf, fail, imageIn, rewrite, tar } from './rig.ts';

const all = { kind: 'all' } as const;
const zstd = { kind: 'zstd', level: 3 } as const;
const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const arm64: Platform = { os: 'linux', architecture: 'arm64' };
const base = tar('etc/', 'etc/base=the same for all platforms');
const script = tar('run.sh=echo');

function imageFor(architecture: string, ...layers: Uint8Array[]): BuiltImage {
  return buildImage({ layers, platform: { os: 'linux', architecture } });
}

const amd = imageFor('amd64', base, tar('bin/', 'bin/app=amd64'), script);
const arm = imageFor('arm64', base, tar('bin/', 'bin/app=arm64'), script);

function childrenOf(tree: BuiltTree): readonly BlobDescriptor[] {
  const bytes = tree.blobs.get(tree.descriptor.digest);
  return (JSON.parse(new TextDecoder().decode(bytes)) as { manifests: BlobDescriptor[] }).manifests;
}

/** Several trees below one index, as they are. */
function indexOf(...children: BuiltTree[]): BuiltTree {
  const bytes = jsonBytes({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.oci.index,
    manifests: children.map(({ descriptor }) => descriptor),
    'org.example.unknown': { kept: true },
  });
  const digest = digestOf(bytes);
  const blobs = new Map([...children.flatMap((child) => [...child.blobs]), [digest, bytes] as const]);
  return { descriptor: { mediaType: MEDIA_TYPES.oci.index, digest, size: bytes.length }, blobs };
}

describe('an index of several platforms', () => {
  test('work on a layer that platforms share is done once', async () => {
    const { source, target, tree } = await rewrite(buildIndex({ images: [amd, arm] }), [
      recompress(all, zstd),
    ]);
    for (const { digest } of [...amd.layers, ...arm.layers]) expect(source.countOf(digest)).toBe(1);
    expect(target.count('stage')).toBe(4);
    expect(imageIn(tree, 'linux/amd64').tars).toEqual(imageIn(amd).tars);
    expect(imageIn(tree, 'linux/arm64').tars).toEqual(imageIn(arm).tars);
    expect(childrenOf(tree).map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64']);
  });

  test('what is pruned from a shared layer is pruned once, and other layers stay', async () => {
    const { source, target, tree } = await rewrite(buildIndex({ images: [amd, arm] }), [
      prune(all, { rules: [parseRule('etc/base', '--rule')] }),
    ]);
    // Scanned from the source, then edited from the local copy.
    for (const { digest } of [...amd.layers, ...arm.layers]) expect(source.countOf(digest)).toBe(1);
    expect(target.count('stage')).toBe(1);
    expect(digestsOf(tree, 'linux/amd64').slice(1)).toEqual(digestsOf(amd).slice(1));
    expect(digestsOf(tree, 'linux/amd64')[0]).toBe(digestsOf(tree, 'linux/arm64')[0]);
    expect(list(...imageIn(tree, 'linux/arm64').layers)).toEqual([
      'bin/',
      'bin/app=arm64',
      'etc/',
      'run.sh=echo',
    ]);
  });

  test('each platform is squashed by itself', async () => {
    const { tree, outcome } = await rewrite(buildIndex({ images: [amd, arm] }), [
      squash({ kind: 'last', count: 2 }),
    ]);
    expect(list(...imageIn(tree, 'linux/amd64').layers)).toEqual([
      'bin/',
      'bin/app=amd64',
      'etc/',
      'etc/base=the same for all platforms',
      'run.sh=echo',
    ]);
    expect(digestsOf(tree, 'linux/arm64')).toHaveLength(2);
    expect(outcome.images).toHaveLength(2);
  });

  test('a selection that one platform cannot meet names the platform', async () => {
    const short = imageFor('s390x', base);
    const { error } = await fail(buildIndex({ images: [amd, short] }), [squash({ kind: 'last', count: 2 })]);
    expect(error.code).toBe('SELECTION_INVALID');
    expect(error.message).toContain('linux/s390x');
  });

  test('other members of the index stay', async () => {
    const index = indexOf(amd, arm);
    const { tree } = await rewrite(index, [recompress(all, zstd)]);
    expect(JSON.parse(new TextDecoder().decode(tree.blobs.get(tree.descriptor.digest)))).toMatchObject({
      'org.example.unknown': { kept: true },
      mediaType: MEDIA_TYPES.oci.index,
    });
  });

  test('an image that did not change keeps its manifest beside one that did', async () => {
    const plain = buildImage({ layers: [base], compress: 'none', platform: arm64 });
    const { tree } = await rewrite(buildIndex({ images: [amd, plain] }), [recompress(all, { kind: 'none' })]);
    const [first, second] = childrenOf(tree);
    expect(first?.digest).not.toBe(amd.descriptor.digest);
    expect(second).toEqual(plain.descriptor);
  });
});

describe('--platform', () => {
  const index = buildIndex({ images: [amd, arm, imageFor('s390x', base)] });

  test('one platform gives a single image', async () => {
    const { tree, source } = await rewrite(index, [recompress(all, zstd)], { platforms: [arm64] });
    expect(tree.descriptor.mediaType).toBe(MEDIA_TYPES.oci.manifest);
    expect(imageIn(tree).config.architecture).toBe('arm64');
    expect(source.countOf(amd.layers[1]?.digest ?? '')).toBe(0);
  });

  test('several give an index of these', async () => {
    const { tree } = await rewrite(index, [identity], { platforms: [amd64, arm64] });
    expect(childrenOf(tree)).toEqual([amd.descriptor, arm.descriptor]);
  });

  test('a missing platform is an error that lists the existing ones', async () => {
    const { error } = await fail(index, [identity], {
      platforms: [{ os: 'linux', architecture: 'riscv64' }],
    });
    expect(error.code).toBe('NOT_FOUND');
    expect(error.message).toContain('linux/riscv64');
    expect(error.advice).toBe('It has: linux/amd64, linux/arm64, linux/s390x.');
  });

  test('a single image for another platform is refused, one for this is taken', async () => {
    const { error } = await fail(amd, [identity], { platforms: [arm64] });
    expect(error.code).toBe('NOT_FOUND');
    expect(error.message).toContain('linux/amd64, not for linux/arm64');
    expect((await rewrite(amd, [identity], { platforms: [amd64] })).tree.descriptor.digest).toBe(
      amd.descriptor.digest,
    );
  });
});

describe('attestations', () => {
  const index = buildIndex({ images: [amd, arm], attestations: true });

  test('are dropped with a warning each if their image changed', async () => {
    const { tree, warnings, outcome } = await rewrite(index, [recompress(all, zstd)]);
    expect(childrenOf(tree)).toHaveLength(2);
    expect(warnings.map((warning) => warning.split(' ')[0])).toEqual([
      'ATTESTATION_DROPPED',
      'ATTESTATION_DROPPED',
    ]);
    expect(warnings[0]).toContain(amd.descriptor.digest);
    expect(outcome.images).toHaveLength(2);
  });

  test('stay if their image did not change', async () => {
    const plain = buildImage({ layers: [base], compress: 'none', platform: arm64 });
    const mixed = buildIndex({ images: [amd, plain], attestations: true });
    const { tree, warnings } = await rewrite(mixed, [recompress(all, { kind: 'none' })]);
    expect(childrenOf(tree).map(({ platform }) => platform?.architecture)).toEqual([
      'amd64',
      'arm64',
      'unknown',
    ]);
    expect(childrenOf(tree)[2]?.annotations?.['vnd.docker.reference.digest']).toBe(plain.descriptor.digest);
    expect(warnings).toHaveLength(1);
  });

  test('are copied with their image if platforms are selected', async () => {
    const { tree, warnings } = await rewrite(index, [identity], { platforms: [amd64, arm64] });
    expect(childrenOf(tree)).toHaveLength(4);
    expect(warnings).toEqual([]);
  });

  test('are not written for a single image', async () => {
    const { tree, target } = await rewrite(index, [identity], { platforms: [amd64] });
    expect(tree.descriptor.digest).toBe(amd.descriptor.digest);
    const attestation = buildAttestation(amd);
    expect([...target.blobs.keys()].filter((digest) => attestation.blobs.has(digest))).toEqual([]);
  });
});

describe('nested indexes and artifacts', () => {
  const artifact = ((): BuiltTree => {
    const blob = new TextEncoder().encode('hello');
    const config = jsonBytes({});
    const layer = { mediaType: 'text/plain', digest: digestOf(blob), size: blob.length };
    const manifest = jsonBytes({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.oci.manifest,
      artifactType: 'text/plain',
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: [layer],
    });
    const blobs = new Map([blob, config, manifest].map((bytes) => [digestOf(bytes), bytes]));
    return {
      descriptor: { mediaType: MEDIA_TYPES.oci.manifest, digest: digestOf(manifest), size: manifest.length },
      blobs,
    };
  })();

  test('an artifact beside images is copied as it is, and a warning names it', async () => {
    const { source, target, warnings } = await rewriteLoosely(indexOf(amd, artifact));
    expect(childrenOf(target.tree).slice(1)).toEqual([artifact.descriptor]);
    for (const digest of artifact.blobs.keys()) expect(target.blobs.has(digest)).toBe(true);
    expect(source.countOf(amd.layers[0]?.digest ?? '')).toBe(1);
    expect(warnings).toEqual([
      `NOT_AN_IMAGE ${artifact.descriptor.digest} in the index is not an image (${MEDIA_TYPES.oci.manifest}): it stays as it is`,
    ]);
    expect((await rewriteLoosely(indexOf(amd, artifact), identity)).warnings).toEqual([]);
  });

  test('an artifact alone can be copied, not rewritten', async () => {
    const copied = await rewriteLoosely(artifact, identity);
    expect(copied.target.tree.descriptor.digest).toBe(artifact.descriptor.digest);
    const { error } = await fail(artifact, [squash(all)]);
    expect(error.code).toBe('UNSUPPORTED');
    expect(error.advice).toContain('ocislim copy');
  });

  /** Runs a transform without validating the result, because the model's validator accepts only images. */
  async function rewriteLoosely(tree: BuiltTree, transform = recompress(all, zstd)) {
    const source = new MemorySource(tree);
    const target = new MemoryTarget();
    const warnings: string[] = [];
    await runTransform({
      source,
      target,
      transform,
      maxScratch: 0,
      listener: (event) => {
        if (event.type === 'warning') warnings.push(`${event.code} ${event.message}`);
      },
    });
    return { source, target, warnings };
  }
});

test('T20: referrers of the source are named in a warning where they do not hold, or are not copied', async () => {
  const signature = {
    mediaType: MEDIA_TYPES.oci.manifest,
    digest: amd.descriptor.digest as never,
    size: 1,
    annotations: {},
    json: { artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' },
  };
  const changed = await rewrite(amd, [recompress(all, zstd)], { source: { referrers: [signature] } });
  expect(changed.warnings).toEqual([
    expect.stringMatching(/^REFERRERS_LEFT 1 artifact refers to the source \(application\/vnd\.dev\.cosign/),
  ]);
  const copied = await rewrite(amd, [identity], { source: { referrers: [signature] } });
  expect(copied.warnings).toEqual([expect.stringMatching(/^REFERRERS_LEFT .*not copied with it/)]);
  const mountable = { registry: 'http://registry.test:5000', repository: 'app' };
  const retagged = await rewrite(amd, [identity], {
    source: { referrers: [signature] },
    target: { mountable },
  });
  expect(retagged.warnings).toEqual([]);
});

test('a dry run resolves and writes nothing', async () => {
  const source = new MemorySource(amd);
  const outcome = await runTransform({
    source,
    target: null,
    transform: squash({ kind: 'last', count: 2 }),
    jobs: 1,
    maxScratch: 0,
    requireSavings: 0.99,
  });
  expect(outcome.root).toBeNull();
  expect(outcome.images[0]?.resolution.contents.map(({ kind }) => kind)).toEqual(['stored', 'edited']);
  expect(source.countOf(amd.layers[0]?.digest ?? '')).toBe(0);
});
