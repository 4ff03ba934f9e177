import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recompress } from '../../src/compress/recompress.ts';
import { squash } from '../../src/slim/squash.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { problemsAt, putImage, runBetween } from '../support/registry/between.ts';
import { sha256 } from '../support/registry/content.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import type { Effect } from '../support/registry/faults.ts';
import { openCache } from '../support/store/cache.ts';
import { block, noise, setup } from '../support/registry/setup.ts';
import { layersIn } from '../support/made-layers.ts';
import { startRegistry } from '../support/registry/opened.ts';

const layers = [5000, block + 20_000, 20_000].map((size, i) =>
  writeTar([{ type: 'file', name: `file-${i}`, body: noise(size, i + 1) }]),
);
const image = buildImage({ layers, compress: 'none' });
const digests = image.layers.map(({ digest }) => digest as Digest);
const yes: Effect = { kind: 'answer', status: 200 };
const all = { kind: 'all' } as const;

/** How often something was committed under each digest. */
function commits(fake: FakeRegistry): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { path } of fake.sent('PUT', /uploads/)) {
    const digest = new URL(path, 'http://fake').searchParams.get('digest') ?? '';
    counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }
  return counts;
}

describe('a blob that the registry says it has, and misses', () => {
  test('is copied once, and no other blob with it', async () => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    putImage(from, image);
    const lost = digests[1] ?? '';
    to.fault({ method: 'HEAD', path: new RegExp(lost), times: 99, effect: yes });
    const made = setup();
    const outcome = await runBetween(from, to, { made });
    expect(problemsAt(to, outcome.root?.descriptor.digest)).toEqual([]);
    expect([...commits(to).values()]).toEqual([1, 1, 1, 1]);
    // Four tries, in case it only had not noticed yet; then one more.
    expect(to.sent('PUT', /manifests\/sha256/)).toHaveLength(5);
    expect(made.events).toContainEqual({
      type: 'detail',
      message: `destination ${to.host}/dst: the registry has lost ${lost}; sending it once more`,
    });
  });

  test('is copied with all other blobs if the registry does not name it', async () => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    putImage(from, image);
    const unnamed: Effect = {
      kind: 'answer',
      status: 404,
      body: '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}',
    };
    to.fault({ method: 'PUT', path: /manifests/, times: 4, effect: unnamed });
    const outcome = await runBetween(from, to);
    expect(problemsAt(to, outcome.root?.descriptor.digest)).toEqual([]);
    expect([...commits(to).values()]).toEqual([2, 2, 2, 2]);
  });

  test('is copied although a mount of it was said to have worked', async () => {
    const fake = await startRegistry({ mounts: 'lie' });
    putImage(fake, image);
    fake.fault({ method: 'HEAD', path: /\/dst\/blobs/, times: 99, effect: yes });
    const outcome = await runBetween(fake, fake);
    expect(problemsAt(fake, outcome.root?.descriptor.digest)).toEqual([]);
    expect([...commits(fake).values()]).toEqual([1, 1, 1, 1]);
  });

  test.each([
    ['squashed', squash(all)],
    ['recompressed', recompress(all, { kind: 'zstd', level: 3 })],
  ])('is made again if this run made it: %s', async (_, transform) => {
    const [from, calm, to] = [await startRegistry(), await startRegistry(), await startRegistry()];
    putImage(from, image);
    const expected = await runBetween(from, calm, { transform });
    const made = [...calm.repository('dst').blobs.keys()];
    // Every blob is lost after its commit, and the registry goes on saying that it is there.
    const lost = new Set<string>();
    to.repository('dst').blobs.set = function set(digest: Digest, bytes: Buffer) {
      if (lost.has(digest)) return Map.prototype.set.call(this, digest, bytes) as typeof this;
      lost.add(digest);
      return this;
    };
    to.fault({ method: 'HEAD', path: /\/dst\/blobs/, skip: made.length, times: 99, effect: yes });
    const outcome = await runBetween(from, to, { transform });
    expect(outcome.root?.descriptor).toEqual(expected.root?.descriptor);
    expect(problemsAt(to, outcome.root?.descriptor.digest)).toEqual([]);
    expect(commits(to)).toEqual(new Map(made.map((digest): [string, number] => [digest, 2])));
  });

  test.each([
    ['sent from the cache', false],
    ['made again where the cache has lost it, too', true],
  ])('is made again, or taken from the cache, if an earlier run made it: %s', async (_, emptied) => {
    const [from, calm, to] = [await startRegistry(), await startRegistry(), await startRegistry()];
    putImage(from, image);
    const folder = await mkdtemp(join(tmpdir(), 'ocislim-repair-'));
    try {
      const transform = squash(all);
      const expected = await runBetween(from, calm, { transform, cache: await openCache(folder) });
      if (emptied) await rm(join(folder, 'blobs'), { recursive: true });
      const layer = layersIn(expected)[0]?.digest ?? '';
      to.fault({ method: 'HEAD', path: new RegExp(layer), times: 99, effect: yes });
      const outcome = await runBetween(from, to, { transform, cache: await openCache(folder) });
      expect(outcome.root?.descriptor).toEqual(expected.root?.descriptor);
      expect(problemsAt(to, outcome.root?.descriptor.digest)).toEqual([]);
      expect([...commits(to).values()]).toEqual([1, 1]);
      expect((outcome.cache?.downloaded ?? 0) > block + 20_000).toBe(emptied);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('may be a manifest that an index names', async () => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    const small = buildImage({ layers: [layers[0] ?? new Uint8Array(0)], compress: 'none' });
    const index = buildIndex({ images: [small] });
    putImage(from, index);
    const { manifests } = to.repository('dst');
    let losses = 0;
    manifests.set = function set(digest, manifest) {
      if (digest === small.descriptor.digest && losses++ === 0) return this;
      return Map.prototype.set.call(this, digest, manifest) as typeof this;
    };
    const outcome = await runBetween(from, to);
    expect(outcome.root?.descriptor.digest).toBe(index.descriptor.digest);
    expect(to.repository('dst').find('v1')?.digest).toBe(index.descriptor.digest);
    expect(manifests.has(small.descriptor.digest as Digest)).toBe(true);
  });

  test('is an error that names it if the registry loses it again', async () => {
    for (const transform of [undefined, squash(all)]) {
      const [from, to] = [await startRegistry(), await startRegistry()];
      putImage(from, image);
      const { blobs } = to.repository('dst');
      blobs.set = function set() {
        return this;
      };
      to.fault({ method: 'HEAD', path: /\/dst\/blobs/, skip: 1, times: 99, effect: yes });
      to.fault({ method: 'GET', path: /\/dst\/blobs\/sha/, times: 99, effect: yes });
      await expect(runBetween(from, to, transform === undefined ? {} : { transform })).rejects.toMatchObject({
        code: 'REGISTRY',
        message: expect.stringMatching(
          /^destination .*\/dst: putting manifest sha256:.*: the registry does not have blob sha256:.* \(400 MANIFEST_BLOB_UNKNOWN: blob unknown to registry\)$/,
        ) as string,
        advice: expect.stringContaining('run the same command again') as string,
      });
      expect(Math.max(...commits(to).values())).toBeLessThanOrEqual(2);
      expect(to.repository('dst').tags.size).toBe(0);
    }
  });
});

describe('an upload of a made layer that is lost', () => {
  test.each<readonly [string, string, Effect]>([
    [
      'in the middle',
      'PATCH',
      { kind: 'answer', status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}' },
    ],
    ['at its end', 'PUT', { kind: 'answer', status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' }],
  ])('%s starts over with the same bytes', async (_, method, effect) => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    putImage(from, image);
    to.fault({ method, path: /uploads/, effect });
    const outcome = await runBetween(from, to, { transform: squash(all) });
    expect(to.faults.unused).toEqual([]);
    expect(problemsAt(to, outcome.root?.descriptor.digest)).toEqual([]);
    expect(to.repository('dst').uploads.size).toBe(0);
  });

  test('at every retry is an error that names the layers', async () => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    putImage(from, image);
    to.fault({
      method: 'PATCH',
      path: /uploads/,
      times: 99,
      effect: { kind: 'answer', status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}' },
    });
    await expect(runBetween(from, to, { transform: squash(all) })).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringMatching(
        /^layers 1–3: destination .*\/dst: uploading a blob, at byte 0: .* answered 404 BLOB_UPLOAD_UNKNOWN: the upload is lost; tried 5 times$/,
      ) as string,
    });
    expect(to.sent('PATCH', /./)).toHaveLength(5);
  });
});

test('the digests of the test are those of the blobs', () => {
  expect(layers.map((layer) => sha256(layer))).toEqual(digests);
});
