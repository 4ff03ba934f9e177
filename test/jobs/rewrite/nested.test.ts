import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { identity } from '../../../src/jobs/rewrite/run.ts';
import type { Transform } from '../../../src/image/image.ts';
import { prune } from '../../../src/slim/prune.ts';
import { squash } from '../../../src/slim/squash.ts';
import { artifactOf, blobOf, indexOf, rowOf } from '../../support/artifacts.ts';
import {
  type BlobDescriptor,
  type BuiltTree,
  buildAttestation,
  buildImage,
  MEDIA_TYPES,
} from '../../support/image-builder.ts';
import { MemorySource, MemoryTarget } from '../../support/memory-store.ts';
import { runTransform } from '../../support/run-image.ts';
import { fail, imageIn, tar } from '../rig.ts';

const all = { kind: 'all' } as const;
const zstd = recompress(all, { kind: 'zstd', level: 3 });

const imageFor = (architecture: string) =>
  buildImage({ layers: [tar(`a=${architecture}`), tar('b=2')], platform: { os: 'linux', architecture } });
const [amd, arm, s390x] = ['amd64', 'arm64', 's390x'].map(imageFor) as [
  ReturnType<typeof imageFor>,
  ReturnType<typeof imageFor>,
  ReturnType<typeof imageFor>,
];

interface Index {
  readonly manifests: readonly BlobDescriptor[];
  readonly [key: string]: unknown;
}

function indexIn({ blobs }: BuiltTree, digest: string): Index {
  return JSON.parse(new TextDecoder().decode(blobs.get(digest))) as Index;
}

async function run(tree: BuiltTree, transform: Transform, platforms: readonly string[] = []) {
  const target = new MemoryTarget();
  const warnings: string[] = [];
  const source = new MemorySource(tree);
  const outcome = await runTransform({
    source,
    target,
    transform,
    platforms: platforms.map((architecture) => ({ os: 'linux', architecture })),
    listener: (event) => {
      if (event.type === 'warning') warnings.push(`${event.code} ${event.message}`);
    },
  });
  return { tree: target.tree, target, source, warnings, outcome };
}

test.each([
  ['squash', squash(all)],
  ['recompress', zstd],
  ['prune', prune(all, { shadowed: true })],
] as const)('%s leaves an image without layers as it is, and changes the others', async (_, transform) => {
  const empty = buildImage({ layers: [], platform: { os: 'linux', architecture: 'riscv64' } });
  const { outcome } = await run(indexOf([empty, amd]), transform);
  const [first, second] = outcome.images.map(({ manifest }) => manifest?.descriptor.digest);
  expect(first).toBe(empty.descriptor.digest);
  expect(second === amd.descriptor.digest).toBe(outcome.images[1]?.image.plan.prunings.length === 1);
});

test('several images for a place that holds one are refused before any layer is read', async () => {
  const source = new MemorySource(indexOf([amd, arm]));
  const target = new MemoryTarget({ layerFormat: 'plain' });
  await expect(runTransform({ source, target, transform: identity })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining('holds one platform, not 2') as string,
  });
  expect(amd.layers.map(({ digest }) => source.countOf(digest))).toEqual([0, 0]);
});

test.each([
  ['a copy', identity],
  ['a rewrite', zstd],
] as const)('%s of indexes whose many rows name one another takes each once', async (_, transform) => {
  let tree: BuiltTree = amd;
  for (let depth = 0; depth < 5; depth++) tree = indexOf(Array.from({ length: 60 }, () => tree));
  const { target, outcome } = await run(tree, transform);
  expect(outcome.images).toHaveLength(60);
  expect(target.tree.blobs.size).toBeLessThan(20);
});

describe('an index in an index', () => {
  const inner = indexOf([s390x], { annotations: { deep: 'yes' } });
  const middle = indexOf([arm, inner]);
  const outer = indexOf([amd, rowOf(middle, { annotations: { kept: 'yes' } })]);

  test('is rewritten through, with every row and annotation in its place', async () => {
    const { tree, outcome, warnings } = await run(outer, squash(all));
    expect(outcome.images.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64', 's390x']);
    const top = indexIn(tree, tree.descriptor.digest).manifests;
    expect(top[1]).toMatchObject({ mediaType: MEDIA_TYPES.oci.index, annotations: { kept: 'yes' } });
    const second = indexIn(tree, top[1]?.digest ?? '').manifests;
    const third = indexIn(tree, second[1]?.digest ?? '');
    expect(third).toMatchObject({ annotations: { deep: 'yes' } });
    for (const row of [top[0], second[0], third.manifests[0]]) {
      const image = imageIn({ descriptor: row as BlobDescriptor, blobs: tree.blobs });
      expect(image.layers).toHaveLength(1);
    }
    expect(warnings).toEqual([]);
  });

  test('is copied as it is', async () => {
    const { tree, source } = await run(outer, identity);
    expect(tree.descriptor).toEqual(outer.descriptor);
    for (const digest of outer.blobs.keys()) expect(tree.blobs.has(digest)).toBe(true);
    expect(new Set(source.opened).size).toBe(source.opened.length);
  });

  test('stays where nothing in it changes', async () => {
    const onlyAmd: Transform = (image) =>
      image.config.platform?.architecture === 'amd64' ? squash(all)(image) : image;
    const { tree } = await run(outer, onlyAmd);
    const [first, second] = indexIn(tree, tree.descriptor.digest).manifests;
    expect(first?.digest).not.toBe(amd.descriptor.digest);
    expect(second?.digest).toBe(middle.descriptor.digest);
  });

  test('that several rows name is written once', async () => {
    const { tree, outcome, target } = await run(indexOf([inner, inner, indexOf([inner])]), zstd);
    expect(outcome.images).toHaveLength(1);
    const [first, second] = indexIn(tree, tree.descriptor.digest).manifests;
    expect(first?.digest).toBe(second?.digest);
    const writes = target.acts.filter(({ act }) => act === 'putManifest');
    expect(writes).toHaveLength(4);
  });

  test('gives the platform that is asked for', async () => {
    const { tree } = await run(outer, identity, ['s390x']);
    expect(tree.descriptor.digest).toBe(s390x.descriptor.digest);
    const two = await run(outer, identity, ['amd64', 's390x']);
    const [first, second] = indexIn(two.tree, two.tree.descriptor.digest).manifests;
    expect(first?.digest).toBe(amd.descriptor.digest);
    const [below, ...others] = indexIn(two.tree, second?.digest ?? '').manifests;
    expect(below?.digest).toBe(inner.descriptor.digest);
    expect(others).toEqual([]);
  });

  test('keeps attestations of images that stay, and loses others with a warning', async () => {
    const tree = indexOf([indexOf([amd, buildAttestation(amd), arm, buildAttestation(arm)])]);
    const onlyAmd: Transform = (image) =>
      image.config.platform?.architecture === 'amd64' ? squash(all)(image) : image;
    const { warnings, tree: written } = await run(tree, onlyAmd);
    expect(warnings).toEqual([
      `ATTESTATION_DROPPED the attestation ${buildAttestation(amd).descriptor.digest} was left out of the index: the image that it is about (${amd.descriptor.digest}) has changed`,
    ]);
    const [nested] = indexIn(written, written.descriptor.digest).manifests;
    expect(indexIn(written, nested?.digest ?? '').manifests.slice(1)).toEqual([
      arm.descriptor,
      buildAttestation(arm).descriptor,
    ]);
  });
});

describe('an index of which one child is not an image', () => {
  test('that cannot be read is refused, and the error names the child', async () => {
    const broken = artifactOf(blobOf(MEDIA_TYPES.oci.config, '{}'), [
      blobOf(MEDIA_TYPES.oci.layer.gzip, 'not a layer'),
    ]);
    const { error } = await fail(indexOf([amd, broken]), [squash(all)]);
    expect(error.message).toContain(broken.descriptor.digest);
  });

  test('a dry run says so too', async () => {
    const blob = blobOf('application/vnd.example', 'anything', {
      artifactType: 'application/vnd.example.kind',
    });
    const warnings: string[] = [];
    await runTransform({
      source: new MemorySource(indexOf([amd, blob])),
      target: null,
      transform: squash(all),
      listener: (event) => {
        if (event.type === 'warning') warnings.push(event.message);
      },
    });
    expect(warnings).toEqual([
      `${blob.descriptor.digest} in the index is not an image (application/vnd.example.kind): it stays as it is`,
    ]);
  });
});

test('the subject of an index is not that of the changed one, and a warning says so', async () => {
  const { digest, mediaType, size } = arm.descriptor;
  const tree = indexOf([amd], { subject: { mediaType, digest, size }, annotations: { kept: 'yes' } });
  const { warnings, tree: written } = await run(tree, squash(all));
  expect(warnings).toEqual([
    `REFERRERS_LEFT the index says of itself that it refers to ${digest}; the new one does not say so`,
  ]);
  const index = indexIn(written, written.descriptor.digest);
  expect(index).not.toHaveProperty('subject');
  expect(index).toMatchObject({ annotations: { kept: 'yes' } });
  expect((await run(tree, identity)).warnings).toEqual([]);
});
