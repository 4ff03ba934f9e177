import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AnalyzeOptions, analyzeImage } from '../../../src/jobs/analyze/analyze-image.ts';
import { openSource } from '../../../src/jobs/open.ts';
import type { PlaceOptions } from '../../../src/jobs/openers.ts';
import { readSource } from '../../../src/jobs/read-reference.ts';
import { inspectImage } from '../../../src/jobs/inspect.ts';
import type { ContentProbe } from '../../../src/rootfs/facts/facts.ts';
import { analyzed } from '../../support/analyze.ts';
import { p } from '../../support/bytes.ts';
import { buildImage, writeLayout } from '../../support/image-builder.ts';
import { MemorySource } from '../../support/memory-store.ts';
import { tar } from '../../support/model/shorthand.ts';
import { designedImage } from '../../support/small-image.ts';
import { openCache } from '../../support/store/cache.ts';

const image = designedImage();
const digests = (
  JSON.parse(Buffer.from(image.manifest).toString()) as {
    readonly layers: readonly { readonly digest: string }[];
  }
).layers.map(({ digest }) => digest);

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'analyze-reading-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Analyzes an image of a registry. Returns the analysis, and how often each layer was read. */
async function read(options: Partial<AnalyzeOptions> = {}) {
  const source = new MemorySource(image, { label: 'a.test/app:1' });
  const { analysis } = await analyzed(image, { maxScratch: 1e9, ...options, source });
  const reads = digests.map((digest) => source.opened.filter((each) => each === digest).length);
  return { analysis, reads };
}

/** Does so with a cache that is opened for this command only. */
async function readCached(options: Partial<AnalyzeOptions> = {}) {
  const cache = await openCache(join(folder, 'cache'));
  try {
    return await read({ ...options, cache });
  } finally {
    await cache.close();
  }
}

const once = digests.map(() => 1);
const never = digests.map(() => 0);

describe('a layer of a registry is read', () => {
  test('once for an analysis', async () => {
    expect(new Set(digests).size).toBe(digests.length);
    expect((await read()).reads).toEqual(once);
    expect((await read({ quick: true })).reads).toEqual(once);
  });

  test('once even where samples say what commands would save', async () => {
    const { reads, analysis } = await read({ samples: true });
    expect(reads).toEqual(once);
    expect(analysis.savings).not.toBeNull();
  });

  test('never where the cache knows the scans of an earlier command', async () => {
    const first = await readCached();
    expect(first.reads).toEqual(once);
    const second = await readCached();
    expect(second.reads).toEqual(never);
    expect(second.analysis).toEqual(first.analysis);
    const quick = await readCached({ quick: true });
    expect(quick.reads).toEqual(never);
    expect(quick.analysis.dive).toEqual(first.analysis.dive);
  });
});

test('a command that asks for other contents than an earlier one gets its own from the cache', async () => {
  const contents = async (probe: ContentProbe) => {
    const cache = await openCache(join(folder, 'cache'));
    try {
      const source = new MemorySource(image);
      const { signal } = new AbortController();
      const options = { source, platform: null, jobs: 1, maxScratch: 0, cache, listener: () => {}, signal };
      const { facts } = await inspectImage(options, probe);
      return [facts.contents(p('etc/passwd')) !== null, facts.contents(p('etc/issue')) !== null];
    } finally {
      await cache.close();
    }
  };
  const only =
    (name: string): ContentProbe =>
    (path) =>
      path === name ? 1000 : 0;
  expect(await contents(only('etc/passwd'))).toEqual([true, false]);
  expect(await contents(only('etc/issue'))).toEqual([false, true]);
});

describe('a quick analysis of files here', () => {
  const large = { name: 'large', body: new Uint8Array(3_000_000) };
  const plain = buildImage({ layers: [tar(large, 'a=1'), tar('a=22', '.wh.large')], compress: 'none' });

  /** Analyzes what a reference names. */
  async function at(reference: string, options: Partial<AnalyzeOptions>) {
    const { signal } = new AbortController();
    await using source = await openSource(await readSource(reference), { signal } as unknown as PlaceOptions);
    const common = { name: reference, platform: null, jobs: 2, maxScratch: 0, listener: () => {}, signal };
    return (await analyzeImage({ ...common, quick: true, samples: false, ...options, source })).analysis;
  }

  test('leaves contents of plain layers out, and finds the same', async () => {
    await writeLayout(join(folder, 'layout'), { v1: plain });
    const reference = `oci:${join(folder, 'layout')}:v1`;
    const quick = await at(reference, {});
    const whole = await at(reference, { quick: false });
    expect(quick.dive).toEqual(whole.dive);
    expect(quick.layers).toEqual(whole.layers.map((layer) => ({ ...layer, duplicateBytes: 0 })));
  });

  test('does not see that contents are damaged, as a whole one does, and keeps no scan of them', async () => {
    const layout = join(folder, 'layout');
    await writeLayout(layout, { v1: plain });
    const [{ digest } = { digest: '' }] = (
      JSON.parse(Buffer.from(plain.manifest).toString()) as {
        readonly layers: readonly { readonly digest: string }[];
      }
    ).layers;
    const handle = await open(join(layout, 'blobs/sha256', digest.replace('sha256:', '')), 'r+');
    await handle.write(Buffer.from('x'), 0, 1, 500_000);
    await handle.close();
    const reference = `oci:${layout}:v1`;
    expect((await at(reference, {})).totals.contentBytes).toBe(3_000_003);
    await expect(at(reference, { quick: false })).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    const cache = await openCache(join(folder, 'cache'));
    try {
      // What is kept for later commands is verified first.
      await expect(at(reference, { cache })).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    } finally {
      await cache.close();
    }
  });
});
