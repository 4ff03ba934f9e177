import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import type { ProgressEvent } from '../../../src/events.ts';
import { type Image, pipe, type Transform } from '../../../src/image/image.ts';
import { actionOf, type SealedLayer, tarBytesOf } from '../../../src/layers/write/sealed-layer.ts';
import { prune } from '../../../src/slim/prune.ts';
import { squash } from '../../../src/slim/squash.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { tar } from '../../jobs/rig.ts';
import { buildImage, digestOf } from '../../support/image-builder.ts';
import { layerWriting } from '../../support/layer-writing.ts';
import { noise } from '../../support/registry/setup.ts';
import { cachedBlobs, openCache, partialIn } from '../../support/store/cache.ts';

const all = { kind: 'all' } as const;
const zstd = recompress(all, { kind: 'zstd', level: 3 });
const plain = recompress(all, { kind: 'none' });
const gzip = { kind: 'gzip', engine: 'zlib' } as const;
const keep: Transform = (image) => image;

const text = new TextEncoder().encode('the same words again and again. '.repeat(3000));
const layers = [tar({ name: 'etc/text', body: text }), tar('log=x', { name: 'noise', body: noise(40_000) })];
const built = buildImage({ layers });
const elsewhere = { target: { mountable: { registry: 'https://other.test', repository: 'app' } } } as const;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'layer-writer-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function only<T>(items: readonly T[]): T {
  const [first, ...rest] = items;
  if (first === undefined || rest.length > 0) throw new Error(`${items.length} layers instead of one`);
  return first;
}

function kept(sealed: SealedLayer | undefined): Exclude<SealedLayer, { kind: 'dropped' }> {
  if (sealed === undefined || sealed.kind === 'dropped') throw new Error('there is no such layer');
  return sealed;
}

function outcomesIn(events: readonly ProgressEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'task-end' ? [event.outcome] : []));
}

/** Returns an image with another media type and other members in the descriptor of its first layer. */
function withFirstType(image: Image, mediaType: string, more: Readonly<Record<string, unknown>> = {}): Image {
  const [first, ...rest] = image.manifest.layers;
  if (first === undefined) throw new Error('the image has no layers');
  const changed = { ...first, mediaType, json: { ...first.json, ...more, mediaType } } as typeof first;
  return { ...image, manifest: { ...image.manifest, layers: [changed, ...rest] } };
}

describe('an unchanged layer', () => {
  test.each([
    ['mounted', {}],
    ['copied', elsewhere],
    ['present', { target: { there: built.blobs } }],
  ] as const)('is %s, and never unpacked', async (adoption, options) => {
    const { write, events } = await layerWriting(built, options);
    const sealed = await write(keep);
    expect(sealed).toEqual(
      built.layers.map(({ digest, size }, i) => ({
        kind: 'unchanged',
        blob: { digest, size },
        diffId: built.diffIds[i],
        adoption,
        format: 'gzip',
        rejected: null,
      })),
    );
    expect(sealed.map(tarBytesOf)).toEqual([null, null]);
    expect(outcomesIn(events)).toEqual(Array(2).fill(adoption === 'present' ? 'already there' : adoption));
  });

  test('that names an address of its own is not requested', async () => {
    const { image, write, target } = await layerWriting(built);
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const [first] = await write(keep, withFirstType(image, foreign, { urls: ['https://there.test/layer'] }));
    expect(first).toMatchObject({ kind: 'unchanged', adoption: 'present' });
    expect(target.count('adopt')).toBe(1);
  });

  test('of a type that ocislim cannot read stays as it is, with a warning', async () => {
    const { image, write, events } = await layerWriting(built);
    const sealed = await write(zstd, withFirstType(image, 'application/vnd.test.layer.v1'));
    expect(sealed.map(actionOf)).toEqual(['mounted', 'recompressed']);
    expect(events).toContainEqual({
      type: 'warning',
      code: 'LAYER_SKIPPED',
      message: 'layer 1 stays as it is: ocislim cannot read application/vnd.test.layer.v1',
    });
  });
});

describe('a new blob', () => {
  test('of the same tar keeps its DiffID', async () => {
    const { write, target } = await layerWriting(built);
    const sealed = await write(zstd);
    expect(sealed).toMatchObject(
      layers.map((bytes) => ({
        kind: 'repacked',
        change: 'recompressed',
        diffId: digestOf(bytes),
        tarBytes: bytes.length,
        encoding: { kind: 'zstd', level: 3 },
      })),
    );
    for (const layer of sealed)
      expect(target.blobs.get(kept(layer).blob.digest)).toHaveLength(kept(layer).blob.size);
  });

  test('of a squash has the DiffID of its own tar, and the usual encoding of the topmost format', async () => {
    const { write, target } = await layerWriting(built);
    const sealed = only(await write(pipe(squash(all), plain)));
    const bytes = target.blobs.get(kept(sealed).blob.digest) as Uint8Array;
    expect(sealed).toMatchObject({ kind: 'repacked', change: 'rewritten', tarBytes: bytes.length });
    expect(kept(sealed).diffId).toBe(digestOf(bytes));
    const usual = await (await layerWriting(built)).write(squash(all));
    expect(usual).toMatchObject([{ change: 'rewritten', encoding: { kind: 'gzip', level: 6 } }]);
    expect(kept(only(usual)).diffId).toBe(kept(sealed).diffId);
  });

  test('for a target of plain layers is a plain tar', async () => {
    const { write, target } = await layerWriting(built, { target: { layerFormat: 'plain' } });
    const sealed = await write(keep);
    expect(sealed.map((layer) => kept(layer).blob.digest)).toEqual(built.diffIds);
    expect([...target.blobs.keys()]).toEqual(built.diffIds);
  });

  test('that two images share is made once', async () => {
    const { image, writer, write, target } = await layerWriting(built);
    const [first] = await write(zstd);
    const [same] = await write(zstd, { ...image, descriptor: { ...image.descriptor } });
    expect(same).toBe(first);
    expect(target.count('stage')).toBe(2);
    expect(writer.reused).toBe(0);
  });

  test('that the target has lost is made again; other blobs are not', async () => {
    const { writer, write, target } = await layerWriting(built);
    const { digest } = kept((await write(zstd))[1]).blob;
    const bytes = target.blobs.get(digest);
    target.blobs.delete(digest);
    expect(await writer.again([digest], new AbortController().signal)).toBe(true);
    expect(target.blobs.get(digest)).toEqual(bytes);
    const [unknown] = built.layers;
    expect(await writer.again([unknown?.digest as typeof digest], new AbortController().signal)).toBe(false);
  });
});

describe('a layer that becomes empty', () => {
  const empty = prune(all, { rules: [parseRule('log', 'a test'), parseRule('noise', 'a test')] });
  const dropping: Transform = (image) => ({ ...image, plan: { ...image.plan, dropEmpty: true } });

  test('is dropped where the plan says so', async () => {
    const { write, target } = await layerWriting(built);
    const sealed = await write(pipe(empty, dropping));
    expect(sealed.map(({ kind }) => kind)).toEqual(['unchanged', 'dropped']);
    expect(sealed.map(tarBytesOf)).toEqual([null, 0]);
    expect(target.count('stage')).toBe(0);
  });

  test('stays as an empty tar otherwise', async () => {
    const { write } = await layerWriting(built);
    const sealed = await write(empty);
    expect(sealed.map(actionOf)).toEqual(['mounted', 'rewritten']);
  });
});

describe('a packing that saves too little', () => {
  const worse = recompress(all, { ...gzip, level: 1 });

  test('in the same format is discarded, and the blob adopted', async () => {
    const best = buildImage({ layers: layers.slice(0, 1) });
    const { write, target, events } = await layerWriting(best);
    const sealed = only(await write(worse));
    expect(sealed).toMatchObject({
      kind: 'unchanged',
      adoption: 'mounted',
      blob: { digest: best.layers[0]?.digest },
    });
    expect(actionOf(sealed)).toBe('not-smaller');
    expect(tarBytesOf(sealed)).toBe(layers[0]?.length);
    expect(target.acts.map(({ act }) => act)).toEqual(['stage', 'abort', 'adopt']);
    expect(outcomesIn(events)).toEqual(['not smaller: the layer keeps its blob', 'mounted']);
  });

  test.each([
    ['a share that is reached', { kind: 'ratio', ratio: 0.5 }, ['recompressed', 'not-smaller']],
    ['a share that is not', { kind: 'ratio', ratio: 0.9999 }, ['not-smaller', 'not-smaller']],
    ['bytes that are reached', { kind: 'bytes', bytes: 20_000 }, ['recompressed', 'not-smaller']],
    ['bytes that are not', { kind: 'bytes', bytes: 100_000 }, ['not-smaller', 'not-smaller']],
  ] as const)('is measured by %s', async (_, minSavings, actions) => {
    const tree = buildImage({ layers, compress: 'none' });
    const { write } = await layerWriting(tree);
    const sealed = await write(recompress(all, { ...gzip, level: 9 }, minSavings));
    expect(sealed.map(actionOf)).toEqual(actions);
  });

  test('is remembered, so that the next run does not pack it', async () => {
    const cache = await openCache(folder);
    const first = await (await layerWriting(built, { cache })).write(worse);
    expect(first.map(actionOf)).toEqual(['not-smaller', 'not-smaller']);
    const { write, target } = await layerWriting(built, { cache });
    expect(await write(worse)).toEqual(first);
    expect(target.count('stage')).toBe(0);
    await cache.close();
  });
});

describe('a blob that an earlier run has made', () => {
  test('is sent from the cache', async () => {
    const cache = await openCache(folder);
    const first = await (await layerWriting(built, { cache })).write(zstd);
    const { writer, write, target, events, source } = await layerWriting(built, { cache });
    const second = await write(zstd);
    expect(second).toEqual(first.map((layer) => ({ ...layer, kind: 'recalled', from: 'cache' })));
    expect(outcomesIn(events)).toEqual(['from the cache', 'from the cache']);
    expect(built.layers.map(({ digest }) => source.countOf(digest))).toEqual([0, 0]);
    const sizes = second.map((layer) => kept(layer).blob.size);
    expect(writer.reused).toBe(sizes.reduce((a, b) => a + b));
    expect([...target.blobs.keys()]).toEqual(second.map((layer) => kept(layer).blob.digest));
    await cache.close();
  });

  test('and that the target has is not sent', async () => {
    const cache = await openCache(folder);
    const before = await layerWriting(built, { cache });
    await before.write(zstd);
    const { write, target, events } = await layerWriting(built, {
      cache,
      target: { there: before.target.blobs },
    });
    const recalled = { kind: 'recalled', from: 'target' };
    expect(await write(zstd)).toMatchObject([recalled, recalled]);
    expect(target.acts).toEqual([]);
    expect(outcomesIn(events)).toEqual(['already there', 'already there']);
    await cache.close();
  });

  test('and that neither the cache nor the target has any more is made again', async () => {
    const cache = await openCache(folder);
    await (await layerWriting(built, { cache })).write(zstd);
    rmSync(join(folder, 'blobs'), { recursive: true });
    const { write } = await layerWriting(built, { cache });
    expect((await write(zstd)).map(({ kind }) => kind)).toEqual(['repacked', 'repacked']);
    await cache.close();
  });

  test('with another encoder is not recalled', async () => {
    const cache = await openCache(folder);
    await (await layerWriting(built, { cache })).write(zstd);
    const other = recompress(all, { kind: 'zstd', level: 5 });
    const { write } = await layerWriting(built, { cache });
    expect((await write(other)).map(({ kind }) => kind)).toEqual(['repacked', 'repacked']);
    await cache.close();
  });
});

describe('an upload that the target loses', () => {
  test.each([
    ['while bytes go up', { stage: 2 }],
    ['at its commit', { commit: 2 }],
  ] as const)('%s is started over with the same bytes', async (_, loses) => {
    const expected = await (await layerWriting(built)).write(zstd);
    const cache = await openCache(folder);
    const { write, events, target, source } = await layerWriting(built, { cache, target: { loses } });
    const sealed = await write(zstd);
    expect(sealed).toEqual(expected);
    expect(source.countOf(built.layers[0]?.digest ?? '')).toBe(3);
    expect(target.pending).toBe(0);
    // One task for each layer, whose bytes never go back.
    expect(events.filter(({ type }) => type === 'task-start')).toHaveLength(2);
    expect(outcomesIn(events)).toHaveLength(2);
    const bytes = events.flatMap((event) => (event.type === 'task-progress' ? [event] : []));
    for (const id of new Set(bytes.map((event) => event.id))) {
      const counts = bytes.filter((event) => event.id === id).map((event) => event.bytes);
      expect(counts).toEqual([...new Set(counts)].toSorted((a, b) => a - b));
    }
    expect([...cachedBlobs(folder)]).toEqual(
      expect.arrayContaining(sealed.map((layer) => kept(layer).blob.digest)),
    );
    await cache.close();
    expect(partialIn(folder)).toEqual([]);
  });

  test.each([
    ['while bytes go up', { stage: 2 }],
    ['at its commit', { commit: 2 }],
  ] as const)('%s is started over from the cache', async (_, loses) => {
    const cache = await openCache(folder);
    const first = await (await layerWriting(built, { cache })).write(zstd);
    const { write, target } = await layerWriting(built, { cache, target: { loses } });
    expect(await write(zstd)).toEqual(first.map((layer) => ({ ...layer, kind: 'recalled', from: 'cache' })));
    expect(target.pending).toBe(0);
    await cache.close();
  });
});

describe('an error', () => {
  test('of the source names the source and the layer, once', async () => {
    const [, second] = built.layers;
    const cutAfter = { [second?.digest ?? '']: 100 };
    const { write, target, events } = await layerWriting(built, { source: { cutAfter } });
    const error = await write(zstd).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'NETWORK' });
    expect((error as Error).message).toMatch(
      /^source [^ ]+, layer 2: source [^ ]+: blob sha256:\w+: the connection broke/,
    );
    expect(target.pending).toBe(0);
    expect(outcomesIn(events).at(-1)).toBe('not finished');
  });

  test.each(['stage', 'commit'] as const)(
    'of the target at a %s names the layer, and nothing stays staged',
    async (fails) => {
      const { write, target, source } = await layerWriting(built, { target: { fails } });
      await expect(write(zstd)).rejects.toMatchObject({
        code: 'REGISTRY',
        message: `layer 1: destination registry.test:5000/slim:1: the registry refused the ${fails}`,
      });
      expect(target.pending).toBe(0);
      expect(source.held).toBe(0);
    },
  );

  test('of the target at an adoption names the layer', async () => {
    const { write } = await layerWriting(built, { target: { fails: 'adopt' } });
    await expect(write(keep)).rejects.toMatchObject({ message: /^layer 1: destination/ });
  });
});

describe('a cancelled run', () => {
  test.each([
    ['while a layer is read', 'source'],
    ['when a layer has been staged', 'target'],
  ] as const)('%s lets go of everything', async (_, side) => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const layer = built.layers[0]?.digest;
    const cache = await openCache(folder);
    const { write, source, target, events } = await layerWriting(built, {
      cache,
      signal: stop.signal,
      source: { onOpen: (digest) => void (side === 'source' && digest === layer && stop.abort(reason)) },
      target: { onAct: ({ act }) => void (side === 'target' && act === 'stage' && stop.abort(reason)) },
    });
    await expect(write(zstd)).rejects.toBe(reason);
    expect(source.held).toBe(0);
    expect(target.pending).toBe(0);
    expect(target.count('commit')).toBe(0);
    expect(outcomesIn(events)).toEqual(['not finished']);
    await cache.close();
    expect(partialIn(folder)).toEqual([]);
  });
});
