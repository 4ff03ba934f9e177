import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { tune } from '../../../src/compress/tune.ts';
import type { ProgressEvent } from '../../../src/events.ts';
import { annotate } from '../../../src/configure/configure.ts';
import { type Image, pipe, type Transform } from '../../../src/image/image.ts';
import { identity } from '../../../src/jobs/rewrite/run.ts';
import { actionOf } from '../../../src/layers/write/sealed-layer.ts';
import { prune } from '../../../src/slim/prune.ts';
import { squash } from '../../../src/slim/squash.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import {
  type BuiltTree,
  buildImage,
  buildIndex,
  digestOf,
  jsonBytes,
  MEDIA_TYPES,
} from '../../support/image-builder.ts';
import { layersIn } from '../../support/made-layers.ts';
import { MemorySource, type MemorySourceOptions, MemoryTarget } from '../../support/memory-store.ts';
import { openFiles } from '../../support/store/local.ts';
import { runTransform } from '../../support/run-image.ts';
import { digestsOf, fail, rewrite, tar } from '../rig.ts';

const all = { kind: 'all' } as const;
const zstd = { kind: 'zstd', level: 3 } as const;
const layers = [tar('a=1', 'b=2'), tar('.wh.b', 'c=3'), tar('d=4')];
const built = buildImage({ layers });
const index = buildIndex({
  images: ['amd64', 'arm64'].map((architecture) =>
    buildImage({ layers: [tar(`bin=${architecture}`)], platform: { os: 'linux', architecture } }),
  ),
});
const lower: Transform = squash({ kind: 'range', from: 1, to: 2 });
const annotated = annotate;

/** Makes an artifact: a manifest whose config is not that of an image. */
function artifact(): BuiltTree {
  const empty = jsonBytes({});
  const blob = { digest: digestOf(empty), size: empty.length };
  const manifest = jsonBytes({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.oci.manifest,
    artifactType: 'application/vnd.test.thing',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...blob },
    layers: [{ mediaType: 'application/vnd.test.layer', ...blob }],
  });
  const descriptor = {
    mediaType: MEDIA_TYPES.oci.manifest,
    digest: digestOf(manifest),
    size: manifest.length,
  };
  return {
    descriptor,
    blobs: new Map([
      [blob.digest, empty],
      [descriptor.digest, manifest],
    ]),
  };
}

/** Runs a transform that writes nothing. */
async function dryRun(tree: BuiltTree, transform: Transform, options: MemorySourceOptions = {}) {
  const source = new MemorySource(tree, options);
  return { source, outcome: await runTransform({ source, target: null, transform }) };
}

describe('the job of a run', () => {
  test('is a copy with the identity: artifacts are taken as they are', async () => {
    const tree = artifact();
    const target = new MemoryTarget();
    const outcome = await runTransform({ source: new MemorySource(tree), target, transform: identity });
    expect(outcome.images).toEqual([]);
    expect(outcome.root?.descriptor.digest).toBe(tree.descriptor.digest);
    expect([...target.blobs.keys()].toSorted()).toEqual([...tree.blobs.keys()].toSorted());
  });

  test('is a rewrite with any other transform, also one that changes nothing: artifacts are refused', async () => {
    const { error } = await fail(artifact(), [(image) => image]);
    expect(error).toMatchObject({
      code: 'UNSUPPORTED',
      advice: expect.stringContaining('ocislim copy') as string,
    });
  });

  test('gives the same image for both where the transform changes nothing', async () => {
    const copied = await rewrite(built, [identity]);
    const rewritten = await rewrite(built, [(image) => image]);
    expect(rewritten.tree.descriptor).toEqual(copied.tree.descriptor);
    expect(rewritten.target.acts.map(({ act }) => act)).toEqual(copied.target.acts.map(({ act }) => act));
  });

  test.each([
    ['one image', built, 1],
    ['an index', index, 2],
  ] as const)('calls the transform once for each image of %s', async (_, tree, count) => {
    const seen: Image[] = [];
    const counting: Transform = (image) => {
      seen.push(image);
      return annotated({ 'org.example.a': 'b' })(image);
    };
    await rewrite(tree, [counting]);
    expect(seen).toHaveLength(count);
  });

  test('writes the annotations of the plan into the index, too', async () => {
    const { tree } = await rewrite(index, [annotated({ 'org.example.a': 'b' })]);
    const root = JSON.parse(new TextDecoder().decode(tree.blobs.get(tree.descriptor.digest))) as object;
    expect(root).toHaveProperty('annotations', { 'org.example.a': 'b' });
  });
});

describe('the outcome of a run', () => {
  test('has a record for each layer of the plan: what it holds, and what was sealed', async () => {
    const { outcome, tree } = await rewrite(built, [
      pipe(lower, recompress({ kind: 'last', count: 1 }, zstd)),
    ]);
    const [image] = outcome.images;
    expect(image?.layers.map(({ layer, content }) => [layer.content.kind, content.kind])).toEqual([
      ['rewritten', 'edited'],
      ['stored', 'stored'],
    ]);
    expect(image?.layers.map(({ sealed }) => (sealed === null ? null : actionOf(sealed)))).toEqual([
      'rewritten',
      'recompressed',
    ]);
    expect(layersIn(outcome).map(({ digest }) => digest)).toEqual(digestsOf(tree));
    expect(image?.manifest?.descriptor.digest).toBe(tree.descriptor.digest);
    expect(image?.layers.map(({ tuning }) => tuning)).toEqual([null, null]);
  });

  test('has the headers of the layers that were read, and no others', async () => {
    const { outcome } = await rewrite(built, [lower]);
    expect([...(outcome.images[0]?.indexes.keys() ?? [])]).toEqual([1, 2]);
    expect((await rewrite(built, [recompress(all, zstd)])).outcome.images[0]?.indexes.size).toBe(0);
  });

  test('names each encoding of new blobs once, without its threshold', async () => {
    const saving = recompress(all, zstd, { kind: 'bytes', bytes: 1 });
    const { outcome } = await rewrite(buildImage({ layers, compress: 'none' }), [saving]);
    expect(outcome.encodings).toEqual([zstd]);
    expect((await rewrite(built, [identity])).outcome.encodings).toEqual([]);
  });

  test('counts the bytes of layers that were unpacked', async () => {
    const { outcome } = await rewrite(built, [recompress(all, zstd)]);
    expect(outcome.downloaded).toBe(built.layers.reduce((sum, { size }) => sum + size, 0));
    expect((await rewrite(built, [identity])).outcome.downloaded).toBe(0);
    expect(outcome.cache).toBeNull();
  });
});

describe('a dry run', () => {
  test('reads headers, seals nothing and has no manifests', async () => {
    const { outcome, source } = await dryRun(built, lower);
    expect(outcome).toMatchObject({ root: null, encodings: [], budgets: [], cache: null });
    expect(outcome.images.map(({ manifest }) => manifest)).toEqual([null]);
    expect(outcome.images[0]?.layers.map(({ content, sealed }) => [content.kind, sealed])).toEqual([
      ['edited', null],
      ['stored', null],
    ]);
    expect(built.layers.map(({ digest }) => source.countOf(digest))).toEqual([1, 1, 0]);
  });

  test('decides what is tuned', async () => {
    const { outcome } = await dryRun(built, tune(all, { goal: { kind: 'pull', bytesPerSecond: 1e6 } }));
    const [image] = outcome.images;
    expect(image?.layers.map(({ tuning }) => tuning?.goal.kind)).toEqual(['pull', 'pull', 'pull']);
    expect(image?.image.plan.layers).toEqual(image?.layers.map(({ layer }) => layer));
    expect(image?.layers.flatMap(({ layer }) => layer.encodings).map(({ kind }) => kind)).not.toContain(
      'tuned',
    );
  });

  test('does not fail for required savings', async () => {
    const source = new MemorySource(built);
    const outcome = await runTransform({ source, target: null, transform: lower, requireSavings: 0.99 });
    expect(outcome.root).toBeNull();
  });
});

describe('a run publishes nothing', () => {
  test('where the layers shrink by less than required', async () => {
    const { error, target } = await fail(built, [recompress(all, { kind: 'none' })], { requireSavings: 0.1 });
    expect(error).toMatchObject({
      code: 'GATE',
      message: expect.stringMatching(/^the layers grow by/) as string,
    });
    expect(target.count('putManifest')).toBe(0);
  });

  test('where its caller stops it at a warning', async () => {
    const stop = new AbortController();
    const target = new MemoryTarget();
    const reason = new Error('strict');
    const signature = {
      mediaType: MEDIA_TYPES.oci.manifest,
      digest: built.descriptor.digest as never,
      size: 1,
    };
    const source = new MemorySource(built, { referrers: [{ ...signature, annotations: {}, json: {} }] });
    const listener = (event: ProgressEvent): void => {
      if (event.type === 'warning') stop.abort(reason);
    };
    const transform = recompress(all, zstd);
    await expect(runTransform({ source, target, transform, listener, signal: stop.signal })).rejects.toBe(
      reason,
    );
    expect(target.count('putManifest')).toBe(1);
    expect(target.published).toBeNull();
  });

  test('where it was cancelled before it began, and asks the source for nothing', async () => {
    const source = new MemorySource(built);
    const target = new MemoryTarget();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(runTransform({ source, target, transform: lower, signal })).rejects.toThrow('enough');
    expect(source.opened).toEqual([]);
    expect(target.acts).toEqual([]);
  });

  test('where no image is left to transform', async () => {
    const failing: Transform = () => {
      throw new Error('no such layers');
    };
    const target = new MemoryTarget();
    await expect(
      runTransform({ source: new MemorySource(index), target, transform: failing }),
    ).rejects.toThrow('no such layers');
    expect(target.acts).toEqual([]);
  });
});

describe('local disk', () => {
  const pruned = prune(all, { rules: [parseRule('a', 'a test')] });

  test('holds the second reading of a layer, and is given back', async () => {
    const before = openFiles().length;
    const { source } = await rewrite(built, [pruned], { maxScratch: 1_000_000 });
    expect(built.layers.map(({ digest }) => source.countOf(digest))).toEqual([1, 1, 1]);
    const far = await rewrite(built, [pruned], { maxScratch: 0 });
    expect(far.source.countOf(built.layers[0]?.digest ?? '')).toBe(2);
    expect(openFiles()).toHaveLength(before);
  });

  test('is given back by a run that fails', async () => {
    const before = openFiles().length;
    await fail(built, [pruned], { maxScratch: 1_000_000, target: { fails: 'commit' } });
    expect(openFiles()).toHaveLength(before);
  });
});
