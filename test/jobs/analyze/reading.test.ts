import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AnalyzeOptions } from '../../../src/jobs/analyze/analyze-image.ts';
import { inspectImage } from '../../../src/jobs/inspect.ts';
import type { ContentProbe } from '../../../src/rootfs/facts/facts.ts';
import { analyzed } from '../../support/analyze.ts';
import { p } from '../../support/bytes.ts';
import { MemorySource } from '../../support/memory-store.ts';
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
