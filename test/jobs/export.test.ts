import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import type { ProgressEvent } from '../../src/events.ts';
import { exportRootfs } from '../../src/jobs/export.ts';
import type { Platform } from '../../src/oci/platform.ts';
import { concat } from '../../src/stream/collect.ts';
import { rootfsOf } from '../laws/rig.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import {
  type BuiltImage,
  type BuiltTree,
  buildImage,
  buildIndex,
  digestOf,
  type ImageRecipe,
} from '../support/image-builder.ts';
import { MemorySource, type MemorySourceOptions } from '../support/memory-store.ts';
import { diffRootfs } from '../support/model/filesystem.ts';
import { orderProblems } from '../support/model/layer-order.ts';
import { list, type Short, specOf } from '../support/model/shorthand.ts';
import { readTar, readWholeTar, writeTar } from '../support/model/tar-bytes.ts';

const runs = Number(process.env['OCISLIM_LAW_RUNS'] ?? 200);

const usualTmp = process.env['TMPDIR'];
let scratch = '';

// A directory of its own: what is left over in it is ours.
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'export-test-'));
  process.env['TMPDIR'] = scratch;
});

afterAll(async () => {
  if (usualTmp === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = usualTmp;
  await rm(scratch, { recursive: true, force: true });
});

function tar(...entries: Short[]): Uint8Array {
  return writeTar(entries.map(specOf));
}

function imageOf(layers: readonly Uint8Array[], recipe: Partial<ImageRecipe> = {}): BuiltImage {
  return buildImage({ layers, compress: 'none', ...recipe });
}

type Options = {
  readonly platform?: Platform;
  readonly maxScratch?: number;
  readonly source?: MemorySourceOptions;
  readonly signal?: AbortSignal;
};

type Exported = {
  readonly tar: Uint8Array;
  readonly entries: number;
  readonly source: MemorySource;
  readonly events: readonly ProgressEvent[];
};

async function exported(tree: BuiltTree, options: Options = {}): Promise<Exported> {
  const source = new MemorySource(tree, { label: 'a.test/app:1', ...options.source });
  const events: ProgressEvent[] = [];
  const chunks: Uint8Array[] = [];
  let entries = 0;
  try {
    const result = await exportRootfs({
      source,
      platform: options.platform ?? null,
      jobs: 2,
      maxScratch: options.maxScratch ?? 0,
      listener: (event) => void events.push(event),
      signal: options.signal ?? new AbortController().signal,
    });
    entries = result.entries;
    try {
      for await (const chunk of result.stream) chunks.push(chunk);
    } finally {
      await result.close();
    }
  } finally {
    expect(source.held).toBe(0);
  }
  return { tar: concat(chunks), entries, source, events };
}

async function errorOf(promise: Promise<unknown>): Promise<OcislimError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OcislimError)) throw new Error(`no error of the family: ${String(error)}`);
  return error;
}

async function listOf(...layers: Uint8Array[]): Promise<string[]> {
  return list(readTar((await exported(imageOf(layers))).tar));
}

test('the tar, unpacked by itself, is the root filesystem of the layers', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 0 }), fc.boolean(), async (stack, keepsCopies) => {
      const tars = stack.layers.map((layer) => layer.tar);
      const result = await exported(imageOf(tars), { maxScratch: keepsCopies ? 1e9 : 0 });
      const { entries, complete } = readWholeTar(result.tar);
      expect(diffRootfs(rootfsOf(tars), rootfsOf([result.tar]))).toEqual([]);
      expect(entries.filter(({ name }) => /(?:^|\/)\.wh\.(?!-not)/.test(name))).toEqual([]);
      expect(orderProblems(entries)).toEqual([]);
      expect([complete, entries.length]).toEqual([true, result.entries]);
    }),
    { numRuns: runs },
  );
});

describe('what is in the tar', () => {
  test('layers are merged, and whiteouts are gone', async () => {
    expect(await listOf(tar('a=1', 'd/', 'd/x=1'), tar('.wh.a', 'd/.wh..wh..opq', 'd/y=2'))).toEqual([
      'd/',
      'd/y=2',
    ]);
  });

  test('an image of one layer comes out in order too', async () => {
    const one = tar('a=1', '.wh.b', 'd/x', 'a=2', 'd/', 'd/.wh..wh..opq', '.wh..wh.plnk/1');
    const { tar: merged } = await exported(imageOf([one]));
    expect(readTar(merged).map(({ name }) => name)).toEqual(['d/', 'd/x', 'a']);
    expect(list(readTar(merged))).toEqual(['a=2', 'd/', 'd/x']);
  });

  test('a hard link whose first name is gone carries the data', async () => {
    expect(await listOf(tar('a=1', 'b->a', 'c->a'), tar('.wh.a'))).toEqual(['b=1 {b c}', 'c=1 {b c}']);
  });

  test('a directory that something removed implied has the time of the newest history row', async () => {
    const { tar: merged } = await exported(imageOf([tar('d/a'), tar('d/.wh.a')]));
    const [entry, ...more] = readTar(merged);
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      name: 'd/',
      type: 'dir',
      mode: 0o755,
      mtime: String(Date.parse('2024-03-01T11:01:00Z') / 1000),
    });
  });

  test('an image without layers is an empty tar', async () => {
    const { tar: empty, entries } = await exported(imageOf([]));
    expect([entries, empty.length, empty.some((byte) => byte !== 0)]).toEqual([0, 1024, false]);
  });
});

describe('which image', () => {
  const forPlatform = (architecture: string, variant?: string): BuiltImage =>
    imageOf([tar(`bin=${architecture}`)], {
      platform: { os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) },
    });
  const index = buildIndex({
    images: [forPlatform('amd64'), forPlatform('arm', 'v6'), forPlatform('arm', 'v7')],
    attestations: true,
  });

  test('of several, the one selected', async () => {
    const { tar: merged, source } = await exported(index, {
      platform: { os: 'linux', architecture: 'amd64' },
    });
    expect(list(readTar(merged))).toEqual(['bin=amd64']);
    expect(source.countOf(forPlatform('arm', 'v6').layers[0]?.digest ?? '')).toBe(0);
  });

  test('without a selection, the only one', async () => {
    const { tar: merged } = await exported(
      buildIndex({ images: [forPlatform('arm', 'v7')], attestations: true }),
    );
    expect(list(readTar(merged))).toEqual(['bin=arm']);
  });

  test('several are an error that lists them', async () => {
    const error = await errorOf(exported(index));
    expect([error.code, error.message, error.advice]).toEqual([
      'USAGE',
      'a.test/app:1 has 3 images to choose from',
      'Give --platform, one of: linux/amd64, linux/arm/v6, linux/arm/v7.',
    ]);
  });

  test('of several variants, the usual one where none is named', async () => {
    const { source } = await exported(index, { platform: { os: 'linux', architecture: 'arm' } });
    expect(source.countOf(forPlatform('arm', 'v7').layers[0]?.digest ?? '')).toBeGreaterThan(0);
  });

  test('none is an error', async () => {
    expect((await errorOf(exported(index, { platform: { os: 'linux', architecture: 's390x' } }))).code).toBe(
      'NOT_FOUND',
    );
    const empty = buildIndex({ images: [] });
    expect((await errorOf(exported(empty))).code).toBe('UNSUPPORTED');
  });
});

describe('reading', () => {
  const layers = [tar('a=1', 'b=2'), tar('.wh.a', 'c=3'), tar('.wh.b')];

  test('a layer of which nothing is left is read once, others twice', async () => {
    const image = imageOf(layers, { compress: 'gzip' });
    const { source } = await exported(image);
    expect(image.layers.map(({ digest }) => source.countOf(digest))).toEqual([1, 2, 1]);
  });

  test('with scratch, nothing is fetched twice, and no copy is left', async () => {
    const image = imageOf(layers, { compress: 'gzip' });
    const { source, tar: merged } = await exported(image, { maxScratch: 1e6 });
    expect(image.layers.map(({ digest }) => source.countOf(digest))).toEqual([1, 1, 1]);
    expect(list(readTar(merged))).toEqual(['c=3']);
    expect(await readdir(scratch)).toEqual([]);
  });

  test('no copy is left when a layer cannot be read', async () => {
    const image = imageOf(layers, {
      compress: 'gzip',
      config: {
        rootfs: {
          type: 'layers',
          diff_ids: layers.map((_, i) => digestOf(layers[i === 2 ? 0 : i] as Uint8Array)),
        },
      },
    });
    const error = await errorOf(exported(image, { maxScratch: 1e6 }));
    expect(error.code).toBe('DIFFID_MISMATCH');
    expect(error.message).toMatch(/^source a\.test\/app:1, layer 3: /);
    expect(await readdir(scratch)).toEqual([]);
  });

  test('a blob that changes between the readings is found at the end at the latest', async () => {
    const image = imageOf([tar('a=1')]);
    const [layer] = image.layers;
    const blobs = new Map(image.blobs);
    let opened = 0;
    const onOpen = (digest: string): void => {
      if (digest === layer?.digest && ++opened === 2) blobs.set(digest, tar('a=2'));
    };
    const error = await errorOf(exported({ ...image, blobs }, { source: { onOpen } }));
    expect(opened).toBe(2);
    expect(['DIGEST_MISMATCH', 'DIFFID_MISMATCH']).toContain(error.code);
    expect(error.message).toMatch(/^source a\.test\/app:1, layer 1: /);
  });

  test('a layer that cannot be applied names the image', async () => {
    const error = await errorOf(exported(imageOf([tar('a'), tar('b->c')])));
    expect(error.code).toBe('LAYER_INVALID');
    expect(error.message).toMatch(/^source a\.test\/app:1: the hard link "b" in layer 2 /);
  });

  test('an interruption stops it, also in the middle of the tar', async () => {
    for (const after of [1, 2]) {
      const interrupt = new AbortController();
      let opened = 0;
      const digest = imageOf(layers).layers[1]?.digest;
      const onOpen = (each: string): void => {
        if (each === digest && ++opened === after) interrupt.abort(new OcislimError('INTERRUPTED', 'stop'));
      };
      const error = await errorOf(
        exported(imageOf(layers), { signal: interrupt.signal, source: { onOpen } }),
      );
      expect(error.code).toBe('INTERRUPTED');
    }
  });

  test('a consumer that stops reading releases the layers', async () => {
    const source = new MemorySource(imageOf([tar(...Array.from({ length: 2000 }, (_, i) => `f${i}=x`))]));
    const signal = new AbortController().signal;
    const result = await exportRootfs({
      source,
      platform: null,
      jobs: 1,
      maxScratch: 0,
      listener: () => {},
      signal,
    });
    for await (const chunk of result.stream) {
      expect(chunk.length).toBeGreaterThan(0);
      expect(source.held).toBe(1);
      break;
    }
    await result.close();
    expect(source.held).toBe(0);
  });

  test('every task that starts ends', async () => {
    const { events } = await exported(imageOf(layers));
    const of = (type: ProgressEvent['type']): string[] =>
      events.flatMap((event) => (event.type === type && 'id' in event ? [event.id] : []));
    expect(of('task-start')).toHaveLength(4);
    expect(of('task-end').sort()).toEqual(of('task-start').sort());
  });
});
