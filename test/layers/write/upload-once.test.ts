import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { identity } from '../../../src/jobs/rewrite/run.ts';
import type { Transform } from '../../../src/image/image.ts';
import { squash } from '../../../src/slim/squash.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { openRegistryTarget } from '../../../src/registry/target.ts';
import { buildImage, buildIndex } from '../../support/image-builder.ts';
import { FakeRegistry } from '../../support/registry/fake-registry.ts';
import { hold } from '../../support/registry/held-image.ts';
import { noise, refer, setup } from '../../support/registry/setup.ts';
import { openCache } from '../../support/store/cache.ts';
import { tar } from '../../support/model/shorthand.ts';
import { poolOf, runTransform } from '../../support/run-image.ts';

const all = { kind: 'all' } as const;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'upload-once-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** One tar three times, packed in two ways; and one that is larger than a block of an upload. */
const same = tar({ name: 'same', body: noise(50_000) });
const large = tar({ name: 'large', body: noise(9_000_000, 5) });
const layers = [same, large, same, tar('x=1'), same];
const compress = ['gzip', 'gzip', 'none', 'gzip', 'gzip'] as const;
const tree = buildIndex({
  images: ['amd64', 'arm64', 's390x'].map((architecture) =>
    buildImage({ layers, compress, platform: { os: 'linux', architecture } }),
  ),
});

const jobs: readonly (readonly [string, Transform])[] = [
  ['copied', identity],
  ['recompressed', recompress(all, { kind: 'zstd', level: 3 })],
  ['squashed', squash(all)],
];

test.each(jobs)('a blob that several layers and platforms need is sent once: %s', async (_, transform) => {
  for (const cached of [false, true, true]) {
    const [from, to] = [await FakeRegistry.start(), await FakeRegistry.start()];
    hold(from.repository('app'), tree, '1');
    const source = openRegistrySource(refer(`${from.host}/app:1`), setup().options);
    const target = openRegistryTarget([refer(`${to.host}/app:1`)], setup().options);
    const cache = cached ? await openCache(folder) : null;
    await runTransform({
      source,
      target,
      transform,
      jobs: 6,
      pool: poolOf(2),
      cache,
    });
    const ends = to
      .sent('PUT', /[?&]digest=/)
      .map(({ path }) => new URL(path, 'http://to').searchParams.get('digest'));
    expect(new Set(ends).size).toBe(ends.length);
    expect(ends.length).toBeGreaterThan(3);
    const reads = from.sent('GET', /\/blobs\//).map(({ path }) => path);
    expect(new Set(reads).size).toBe(reads.length);
    await cache?.close();
    await target.close();
    await source.close();
    await from.close();
    await to.close();
  }
});
