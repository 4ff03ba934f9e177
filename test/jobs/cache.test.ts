import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recompress } from '../../src/compress/recompress.ts';
import { tune } from '../../src/compress/tune.ts';
import { OcislimError } from '../../src/errors.ts';
import { silent } from '../../src/events.ts';
import { exportRootfs } from '../../src/jobs/export.ts';
import { identity } from '../../src/jobs/rewrite/run.ts';
import { verifyImages } from '../../src/jobs/compare/verify.ts';
import { pipe, type Transform } from '../../src/image/image.ts';
import { buildReport } from '../../src/report/build.ts';
import { transferText } from '../../src/report/transfer-text.ts';
import { arrange } from '../../src/slim/arrange.ts';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import { LayoutStorage } from '../../src/store/layout/layout-storage.ts';
import { LocalTarget } from '../../src/store/local-target.ts';
import { type BuiltTree, buildImage, buildIndex, digestOf, jsonBytes } from '../support/image-builder.ts';
import { MemorySource, type TargetFaults } from '../support/memory-store.ts';
import { bytesIn, cachedBlobs, cachedFile, openCache, partialIn, recipesIn } from '../support/store/cache.ts';
import { openFiles } from '../support/store/local.ts';
import { runTransform } from '../support/run-image.ts';
import { digestsOf, fail, imageIn, type RigOptions, rewrite, tar } from './rig.ts';
import { layersIn } from '../support/made-layers.ts';

const all = { kind: 'all' } as const;
const zstd = { kind: 'zstd', level: 3 } as const;
const gzip = { kind: 'gzip', level: 6, engine: 'libdeflate' } as const;
const { signal } = new AbortController();

let folder = '';
let temporary = '';
let before: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cache-run-'));
  temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  before = process.env['TMPDIR'];
  process.env['TMPDIR'] = temporary;
});
afterEach(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  rmSync(folder, { recursive: true, force: true });
});

function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const layers = [
  tar('etc/', 'etc/a=1', { name: 'base', body: noise(40_000, 1) }),
  tar({ name: 'data', body: noise(30_000, 2) }, 'link->data'),
  tar({ name: 'text', body: new TextEncoder().encode('again and again. '.repeat(3000)) }, 'etc/.wh.a'),
  tar({ name: 'more', body: noise(20_000, 3) }, 'data=new'),
];
const image = buildImage({ layers });
const elsewhere = { mountable: { registry: 'https://other.test', repository: 'app' } };

const jobs: readonly (readonly [string, Transform])[] = [
  ['squash', squash({ kind: 'last', count: 2 })],
  ['recompress', recompress(all, zstd)],
  ['prune', prune(all, { shadowed: true, rules: [parseRule('link', '--rule')] })],
  ['prune and recompress', pipe(prune(all, { shadowed: true, rules: [] }), recompress(all, gzip))],
  ['tune', tune(all, { goal: { kind: 'pull', bytesPerSecond: 1e6 } })],
  ['squash and tune', pipe(squash(all), tune(all, { goal: { kind: 'pull', bytesPerSecond: 1e6 } }))],
  ['copy', identity],
];

/** Runs with a cache that is opened for this run only, as a process would. */
async function withCache(
  tree: BuiltTree,
  transform: Transform,
  options: RigOptions & { maxBytes?: number } = {},
) {
  const { maxBytes = 1e9, ...rest } = options;
  const cache = await openCache(join(folder, 'cache'), { maxBytes });
  try {
    return await rewrite(tree, [transform], { source: elsewhere, ...rest, cache });
  } finally {
    await cache.close();
    expect(partialIn(join(folder, 'cache'))).toEqual([]);
    expect(bytesIn(join(folder, 'cache'))).toBeLessThanOrEqual(maxBytes);
    cachedBlobs(join(folder, 'cache'));
    expect(readdirSync(temporary), 'scratch files').toEqual([]);
  }
}

async function failWithCache(tree: BuiltTree, transform: Transform, options: RigOptions = {}) {
  const cache = await openCache(join(folder, 'cache'));
  try {
    return await fail(tree, [transform], { source: elsewhere, ...options, cache });
  } finally {
    await cache.close();
    expect(partialIn(join(folder, 'cache'))).toEqual([]);
    cachedBlobs(join(folder, 'cache'));
  }
}

function transferOf({ outcome }: Awaited<ReturnType<typeof rewrite>>) {
  return buildReport(outcome, {
    tool: { name: 'ocislim', version: '1' },
    command: 'test',
    sourceReference: 'a',
    destinationReferences: ['b'],
    warnings: [],
    squashOrigin: '--last',
  });
}

describe.each(jobs)('%s, once more', (_, transform) => {
  test('gives the same image as without a cache, and as before', async () => {
    const plain = await rewrite(image, [transform], { source: elsewhere });
    const first = await withCache(image, transform);
    const second = await withCache(image, transform);
    expect(first.tree.descriptor).toEqual(plain.tree.descriptor);
    expect(second.tree.descriptor).toEqual(plain.tree.descriptor);
    expect(layersIn(second.outcome).map(({ action }) => action)).toEqual(
      layersIn(plain.outcome).map(({ action }) => action),
    );
  });

  test('reads no blob of the source a second time, within one run or in the next', async () => {
    const first = await withCache(image, transform, { maxScratch: 0 });
    expect(first.source.opened.length).toBe(new Set(first.source.opened).size);
    const second = await withCache(image, transform, { maxScratch: 0 });
    expect(second.source.opened).toEqual([]);
    const { transfer } = transferOf(second);
    expect(transfer.downloadedBytes).toBe(image.manifest.length);
    expect(transfer.cachedBytes).toBeGreaterThan(0);
    expect(transferText(transferOf(second))).toContain('from the cache');
  });

  test('sends nothing to a target that has the layers', async () => {
    const first = await withCache(image, transform);
    const second = await withCache(image, transform, {
      target: { there: new Map(first.target.blobs) },
    });
    expect(second.target.count('stage')).toBe(0);
    expect(second.target.acts.filter((act) => act.act === 'adopt' && act.how !== 'present')).toEqual([]);
    const small = imageIn(second.tree).manifest.config.size + second.tree.descriptor.size;
    expect(transferOf(second).transfer.uploadedBytes).toBeLessThanOrEqual(small + image.config.length);
  });

  const steps: readonly NonNullable<TargetFaults['fails']>[] = ['put', 'putManifest', 'publish'];
  test.each(steps)('after a run that failed at the %s: fetches and makes nothing again', async (fails) => {
    // A copy puts its config beside its layers: which of those are there when it fails is chance.
    if (fails === 'put' && transform === identity) return;
    const failed = await failWithCache(image, transform, { target: { fails } });
    const again = await withCache(image, transform, { target: { there: new Map(failed.target.blobs) } });
    expect(again.source.opened).toEqual([]);
    expect(again.target.count('stage')).toBe(0);
    const plain = await rewrite(image, [transform], { source: elsewhere });
    expect(again.tree.descriptor).toEqual(plain.tree.descriptor);
  });
});

const makers = jobs.filter(([name]) => name !== 'copy');

describe.each(makers)('%s that is interrupted', (_, transform) => {
  test('at each of its acts is finished without doing anything twice', async () => {
    const plain = await rewrite(image, [transform], { source: elsewhere });
    const acts = plain.target.acts.length;
    for (let at = 1; at < acts; at++) {
      rmSync(join(folder, 'cache'), { recursive: true, force: true });
      const stop = new AbortController();
      let count = 0;
      const onAct = () => {
        count += 1;
        if (count === at) stop.abort(new OcislimError('INTERRUPTED', 'interrupted'));
      };
      const cache = await openCache(join(folder, 'cache'));
      const { error } = await fail(image, [transform], {
        source: elsewhere,
        target: { onAct },
        signal: stop.signal,
        cache,
        jobs: 1,
      });
      expect(error.code).toBe('INTERRUPTED');
      await cache.close();
      const had = cachedBlobs(join(folder, 'cache'));
      expect(partialIn(join(folder, 'cache'))).toEqual([]);
      const again = await withCache(image, transform, { jobs: 1 });
      expect(again.tree.descriptor).toEqual(plain.tree.descriptor);
      for (const digest of again.source.opened) expect(had.has(digest)).toBe(false);
    }
  });
});

describe('layers that were made before', () => {
  const transform = squash({ kind: 'last', count: 2 });

  test('come from the cache where the target lost them', async () => {
    const first = await withCache(image, transform);
    const second = await withCache(image, transform);
    const made = digestsOf(first.tree).at(-1) ?? '';
    expect(second.target.acts).toContainEqual({ act: 'commit', digest: made });
    expect(second.outcome.cache?.reused).toBeGreaterThanOrEqual(
      layersIn(first.outcome).at(-1)?.size ?? Number.POSITIVE_INFINITY,
    );
  });

  test('are taken back where the target refuses them', async () => {
    await withCache(image, transform);
    const { error } = await failWithCache(image, transform, { target: { fails: 'commit' } });
    expect(error.message).toContain('layers 3–4');
  });

  test('are made again where their copy is damaged, or gone', async () => {
    const first = await withCache(image, transform);
    const made = digestsOf(first.tree).at(-1) ?? '';
    const path = cachedFile(join(folder, 'cache'), made);
    const damaged = readFileSync(path);
    damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 4;
    writeFileSync(path, damaged);
    expect((await withCache(image, transform)).tree.descriptor).toEqual(first.tree.descriptor);
    expect(digestOf(readFileSync(path))).toBe(made);
    rmSync(path);
    expect((await withCache(image, transform)).tree.descriptor).toEqual(first.tree.descriptor);
  });

  test('that another version of the program made are ignored', async () => {
    await withCache(image, recompress(all, zstd));
    const cache = await openCache(join(folder, 'cache'), { version: '2' });
    const { outcome } = await rewrite(image, [recompress(all, zstd)], { source: elsewhere, cache });
    // The source's blobs prove themselves; what was made of them is made again.
    expect(outcome.cache).toMatchObject({ downloaded: image.manifest.length });
    expect(recipesIn(join(folder, 'cache'))).toHaveLength(2 * layers.length);
  });

  test('are made again by another encoder or level', async () => {
    const digests = new Set<string>();
    for (const encoding of [gzip, { ...gzip, level: 9 }, { ...gzip, engine: 'zlib' as const }, zstd]) {
      const { tree } = await withCache(image, recompress(all, encoding));
      const plain = await rewrite(image, [recompress(all, encoding)], { source: elsewhere });
      expect(tree.descriptor).toEqual(plain.tree.descriptor);
      digests.add(tree.descriptor.digest);
    }
    expect(digests.size).toBe(4);
  });

  test('are made again in another order, or with links', async () => {
    const twins = buildImage({ layers: [tar('b=1', 'a=2', 'c=1'), tar('a.py=1', 'a.js=1')] });
    const digests = new Set<string>();
    for (const order of [null, 'similar'] as const) {
      for (const hardlinks of [false, true]) {
        const stage = pipe(squash(all), arrange(all, { order, hardlinks, always: true }));
        const first = await withCache(twins, stage);
        const again = await withCache(twins, stage);
        const plain = await rewrite(twins, [stage], { source: elsewhere });
        expect(first.tree.descriptor).toEqual(plain.tree.descriptor);
        expect(again.tree.descriptor).toEqual(plain.tree.descriptor);
        digests.add(plain.tree.descriptor.digest);
      }
    }
    expect(digests.size).toBe(4);
  });

  test('that did not shrink are remembered, too, with any threshold', async () => {
    const best = await rewrite(image, [recompress(all, { ...gzip, level: 12 })]);
    const worse = { kind: 'gzip', level: 1, engine: 'zlib' } as const;
    const first = await withCache(best.tree, recompress(all, worse));
    expect(new Set(layersIn(first.outcome).map(({ action }) => action))).toEqual(new Set(['not-smaller']));
    const second = await withCache(best.tree, recompress(all, worse), {
      target: { there: new Map(first.target.blobs) },
    });
    expect(second.tree.descriptor).toEqual(best.tree.descriptor);
    expect(second.source.opened).toEqual([]);
    expect(second.target.count('stage')).toBe(0);
    expect(second.outcome.cache?.reused).toBe(imageIn(best.tree).manifest.config.size);
    const [was, is] = [first, second].map(({ outcome }) => layersIn(outcome).map(({ tarBytes }) => tarBytes));
    expect(is).toEqual(was);
    // A result that is remembered without its bytes, and is wanted now.
    const plainly = recompress(all, { kind: 'none' }, { kind: 'bytes', bytes: 0 });
    await withCache(image, plainly);
    const wanted = await withCache(image, recompress(all, { kind: 'none' }));
    const fresh = await rewrite(image, [recompress(all, { kind: 'none' })], { source: elsewhere });
    expect(wanted.tree.descriptor).toEqual(fresh.tree.descriptor);
  });
});

describe('headers that were read before', () => {
  const transform = prune(all, { shadowed: true, rules: [] });
  const forget = (digests: readonly string[]) => {
    for (const digest of digests) rmSync(cachedFile(join(folder, 'cache'), digest), { force: true });
  };
  const sources = image.layers.map(({ digest }) => digest);

  test('need no blob to see that there is nothing to do', async () => {
    const first = await withCache(image, transform);
    forget(sources);
    const target = { there: new Map(first.target.blobs) };
    const second = await withCache(image, transform, { target });
    expect(second.tree.descriptor).toEqual(first.tree.descriptor);
    expect(second.source.opened.filter((digest) => sources.includes(digest))).toEqual([]);
    expect(second.outcome.images[0]?.resolution.removals.length).toBeGreaterThan(0);
  });

  test('serve other plans, which read what they change only', async () => {
    await withCache(image, transform);
    forget(sources);
    const rules = [parseRule('more', '--rule')];
    const other = prune(all, { shadowed: false, rules });
    const second = await withCache(image, other, { target: { there: new Map(image.blobs) } });
    expect(second.source.opened.filter((digest) => sources.includes(digest))).toEqual([sources[3]]);
    const plain = await rewrite(image, [other]);
    expect(second.tree.descriptor).toEqual(plain.tree.descriptor);
  });

  test('are read again where their copy is damaged', async () => {
    const first = await withCache(image, transform);
    const own = [image.descriptor.digest, imageIn(image).manifest.config.digest];
    const kept = new Set([...sources, ...digestsOf(first.tree), ...own]);
    const stored = [...cachedBlobs(join(folder, 'cache'))].filter((digest) => !kept.has(digest));
    expect(stored).toHaveLength(sources.length);
    for (const digest of stored) {
      const path = cachedFile(join(folder, 'cache'), digest);
      writeFileSync(path, readFileSync(path).fill(0, 100, 150));
    }
    const second = await withCache(image, transform);
    expect(second.tree.descriptor).toEqual(first.tree.descriptor);
    expect([...cachedBlobs(join(folder, 'cache'))]).toEqual(expect.arrayContaining(stored));
  });
});

describe('a source whose manifest or config has changed', () => {
  /** Makes an image of the same blobs whose manifest or config states something else about layer 2. */
  function lying(
    change: (layer: { digest: string; size: number; mediaType: string }, diffIds: string[]) => void,
  ) {
    const blobs = new Map(image.blobs);
    const manifest = JSON.parse(new TextDecoder().decode(image.manifest)) as {
      config: { digest: string; size: number };
      layers: { digest: string; size: number; mediaType: string }[];
    };
    const config = JSON.parse(new TextDecoder().decode(image.config)) as { rootfs: { diff_ids: string[] } };
    change(manifest.layers[1] as (typeof manifest.layers)[number], config.rootfs.diff_ids);
    const configBytes = jsonBytes(config);
    blobs.set(digestOf(configBytes), configBytes);
    Object.assign(manifest.config, { digest: digestOf(configBytes), size: configBytes.length });
    const bytes = jsonBytes(manifest);
    blobs.set(digestOf(bytes), bytes);
    return { descriptor: { ...image.descriptor, digest: digestOf(bytes), size: bytes.length }, blobs };
  }

  const lies: readonly (readonly [string, string, BuiltTree])[] = [
    ['DiffID', 'DIFFID_MISMATCH', lying((_, diffIds) => (diffIds[1] = diffIds[0] as string))],
    ['size', 'SIZE_MISMATCH', lying((layer) => (layer.size += 1))],
  ];

  test.each(lies)('with a wrong %s is refused, as without a cache', async (_, code, tree) => {
    // The last one changes another layer only: this one's headers are all that is needed of it.
    const pruned = prune(all, { shadowed: false, rules: [parseRule('more', '--rule')] });
    for (const transform of [recompress(all, { ...gzip, level: 9 }), squash(all), pruned]) {
      await withCache(image, transform);
      const { error } = await failWithCache(tree, transform);
      expect(error.code).toBe(code);
    }
  });

  test('about a format is read as what it is, by every run in the same way', async () => {
    const tree = lying((layer) => (layer.mediaType = layer.mediaType.replace('gzip', 'zstd')));
    const pruned = prune(all, { shadowed: false, rules: [parseRule('more', '--rule')] });
    for (const transform of [recompress(all, { ...gzip, level: 9 }), squash(all), pruned]) {
      await withCache(image, transform);
      const plain = await rewrite(tree, [transform], { source: elsewhere });
      for (let i = 0; i < 2; i++)
        expect((await withCache(tree, transform)).tree.descriptor).toEqual(plain.tree.descriptor);
    }
  });
});

test('a damaged blob of the source in the cache is fetched again', async () => {
  const transform = recompress(all, zstd);
  const first = await withCache(image, transform);
  for (const change of [
    (bytes: Buffer) => bytes.subarray(0, 100),
    (bytes: Buffer) => bytes.fill(0, 50, 60),
  ]) {
    rmSync(join(folder, 'cache', 'recipes'), { recursive: true });
    const { digest = '' } = image.layers[1] ?? {};
    const path = cachedFile(join(folder, 'cache'), digest);
    writeFileSync(path, change(readFileSync(path)));
    const second = await withCache(image, transform);
    expect(second.tree.descriptor).toEqual(first.tree.descriptor);
    expect(second.source.opened).toEqual([digest]);
  }
});

test('blobs that are in the cache are not copied to the scratch folder as well', async () => {
  const seen: string[] = [];
  // They have no names.
  const onOpen = () => void seen.push(...openFiles().filter((path) => path.startsWith(temporary)));
  await withCache(image, squash(all), { jobs: 1, source: { ...elsewhere, onOpen } });
  expect(seen).toEqual([]);
  // Those that are too large for it are.
  rmSync(join(folder, 'cache'), { recursive: true });
  const { source } = await withCache(image, squash(all), {
    jobs: 1,
    source: { ...elsewhere, onOpen },
    maxBytes: 10,
  });
  expect(seen).not.toEqual([]);
  expect(source.opened.length).toBe(new Set(source.opened).size);
});

test('a cache that is too small for the image does not change the result', async () => {
  const plain = await rewrite(image, [squash(all)], { source: elsewhere });
  for (const maxBytes of [0, 500, 35_000, 70_000]) {
    const { tree } = await withCache(image, squash(all), { maxBytes });
    expect(tree.descriptor).toEqual(plain.tree.descriptor);
  }
});

test('two platforms with layers in common read and make them once, also in the next run', async () => {
  const other = buildImage({ layers, platform: { os: 'linux', architecture: 'arm64' } });
  const tree = buildIndex({ images: [image, other] });
  const first = await withCache(tree, recompress(all, zstd));
  expect(first.source.opened.filter((digest) => digest === image.layers[0]?.digest)).toHaveLength(1);
  expect(first.target.count('commit')).toBe(layers.length);
  const second = await withCache(tree, recompress(all, zstd));
  expect(second.source.opened).toEqual([]);
  expect(second.tree.descriptor).toEqual(first.tree.descriptor);
  expect(transferOf(second).transfer.downloadedBytes).toBe(tree.index.length);
});

test('a layout that was not published is not produced from the start again', async () => {
  const cache = await openCache(join(folder, 'cache'));
  const storage = await LayoutStorage.open(
    join(folder, 'layout'),
    { kind: 'names', names: ['1'] },
    'destination',
    signal,
  );
  const target = new LocalTarget('destination', storage, 'any', (digest) => digest);
  const source = new MemorySource(image, elsewhere);
  const working = runTransform({
    source,
    target,
    transform: recompress(all, zstd),
    jobs: 1,
    maxScratch: 0,
    cache,
    requireSavings: 1,
  });
  await expect(working).rejects.toMatchObject({ code: 'GATE' });
  await target.close();
  await cache.close();
  const again = await withCache(image, recompress(all, zstd));
  expect(again.source.opened).toEqual([]);
  expect(again.outcome.cache?.reused).toBe(
    again.target.acts.reduce(
      (sum, act) => sum + (act.act === 'commit' ? (again.target.blobs.get(act.digest)?.length ?? 0) : 0),
      image.config.length,
    ),
  );
});

test('verify and export read from it, and fill it', async () => {
  const slim = await withCache(image, prune(all, { shadowed: true, rules: [] }));
  const cache = await openCache(join(folder, 'cache'));
  const [a, b] = [new MemorySource(image, elsewhere), new MemorySource(slim.tree, elsewhere)];
  const options = { platforms: [], jobs: 2, maxScratch: 0, listener: silent, signal, cache };
  expect(await verifyImages({ ...options, a, b, allowed: () => false })).toMatchObject({ equal: true });
  expect(a.opened).toEqual([]);
  expect(b.opened).toEqual([imageIn(slim.tree).manifest.config.digest]);
  const source = new MemorySource(image, elsewhere);
  const exported = await exportRootfs({ ...options, source, platform: null });
  for await (const _ of exported.stream);
  await exported.close();
  expect(source.opened).toEqual([]);
  await cache.close();
});

test('a local source is read directly, not through the cache', async () => {
  const source = { mountable: null };
  await withCache(image, recompress(all, zstd), { source });
  const had = cachedBlobs(join(folder, 'cache'));
  for (const { digest } of image.layers) expect(had.has(digest)).toBe(false);
  const second = await withCache(image, recompress(all, zstd), { source });
  expect(second.source.opened).toEqual([imageIn(image).manifest.config.digest]);
});
