import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, ocislim, rewrite, startOcislim } from '../support/e2e/cli.ts';
import { DockerRegistry, fetchedBlobs, mountedBlobs, uploadedBlobs } from '../support/e2e/docker-registry.ts';
import { type Count, Front } from '../support/e2e/front.ts';
import { hold } from '../support/registry/held-image.ts';
import { inspectRaw } from '../support/e2e/judge.ts';
import { removeFolder, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { bytesIn, cachedBlobs, cachedFile, partialIn } from '../support/store/cache.ts';

function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  return new Uint8Array(length).map(() => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24);
}

const image = buildImage({
  layers: [1, 2, 3, 4].map((seed) =>
    writeTar(
      [`dir${seed}/`, { name: `dir${seed}/file`, body: noise(seed * 400_000, seed) }, 'same=1'].map(specOf),
    ),
  ),
});
const layerBytes = image.layers.reduce((sum, { size }) => sum + size, 0);

let work: string;
let registry: DockerRegistry;
let source: string;

beforeAll(async () => {
  work = workFolder('cache');
  registry = await DockerRegistry.start();
  await writeLayout(join(work, 'source'), { app: image });
  source = `${registry.host}/cache/app:1`;
  await rewrite(['copy', `oci:${join(work, 'source')}:app`, source]);
});

afterAll(async () => {
  await registry?.stop();
  removeFolder(work);
});

describe('eight processes over one cache', () => {
  const commands = ['squash --all', 'recompress --compression zstd', 'prune --shadowed', 'squash --last 2'];

  it.each([
    ['that has room for all', '50MB'],
    ['that has room for some', `${Math.round(layerBytes * 0.8)}`],
  ])('%s: each gives the result that it gives alone', async (_, size) => {
    const folder = join(work, `cache-${size}`);
    const cached = ['--cache-dir', folder, '--cache-size', size];
    const alone = await Promise.all(
      commands.map((command) => {
        const [name = '', ...args] = command.split(' ');
        return rewrite([name, source, `${registry.host}/alone/${command.replace(/\W+/g, '-')}:1`, ...args]);
      }),
    );
    const together = await Promise.all(
      [...commands, ...commands].map((command, i) => {
        const [name = '', ...args] = command.split(' ');
        return rewrite([
          name,
          source,
          `${registry.host}/together-${size.toLowerCase()}/${i}:1`,
          ...args,
          ...cached,
        ]);
      }),
    );
    expect(together).toEqual([...alone, ...alone]);
    cachedBlobs(folder);
    expect(partialIn(folder)).toEqual([]);
    // The bound holds as soon as a process has the cache to itself.
    await rewrite(['copy', source, `${registry.host}/bound/app:1`, ...cached]);
    expect(bytesIn(folder)).toBeLessThanOrEqual(size === '50MB' ? 50e6 : Number(size));
  });

  it('that do the same: one result, and nothing is fetched or made afterwards', async () => {
    const folder = join(work, 'same');
    const cached = ['--cache-dir', folder];
    const digests = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        rewrite(['squash', source, `${registry.host}/same/${i}:1`, '--all', ...cached]),
      ),
    );
    expect(new Set(digests).size).toBe(1);
    for (let i = 0; i < 8; i++)
      expect(JSON.stringify(await inspectRaw(`${registry.host}/same/${i}:1`))).toBe(
        JSON.stringify(await inspectRaw(`${registry.host}/same/0:1`)),
      );
    const { result, requests } = await registry.during(() =>
      rewrite(['squash', source, `${registry.host}/same/0:2`, '--all', ...cached]),
    );
    expect(result).toBe(digests[0]);
    expect(fetchedBlobs(requests).size + uploadedBlobs(requests).size + mountedBlobs(requests).size).toBe(0);
  });
});

it('blobs that one command has read serve the next one; mounts go on as before', async () => {
  const cached = ['--cache-dir', join(work, 'next')];
  await rewrite(['squash', source, `${registry.host}/next/a:1`, '--all', ...cached]);
  const { requests } = await registry.during(async () => {
    await rewrite(['squash', source, `${registry.host}/next/b:1`, '--last', '2', ...cached]);
    await rewrite(['recompress', source, `${registry.host}/next/c:1`, '--compression', 'none', ...cached]);
    const exported = await ocislim(['export', source, join(work, 'rootfs.tar'), ...cached]);
    expect(exported.status).toBe(0);
  });
  expect([...fetchedBlobs(requests)]).toEqual([]);
  for (const { digest } of image.layers.slice(0, 2)) expect(mountedBlobs(requests).has(digest)).toBe(true);
});

it('a damaged blob is fetched again without a warning', async () => {
  const folder = join(work, 'damaged');
  const digest = await rewrite(['copy', source, `oci:${join(work, 'copy')}:1`, '--cache-dir', folder]);
  const layer = image.layers[2]?.digest ?? '';
  const path = cachedFile(folder, layer);
  const bytes = readFileSync(path);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const { result, requests } = await registry.during(() =>
    rewrite(['copy', source, `oci:${join(work, 'copy-2')}:1`, '--cache-dir', folder, '--strict']),
  );
  expect(result).toBe(digest);
  expect([...fetchedBlobs(requests)]).toEqual([layer]);
  expect(cachedBlobs(folder).has(layer)).toBe(true);
});

it('a full disk ends the use of the cache, not the run', async () => {
  const folder = join(work, 'full');
  const target = `${registry.host}/full/app:1`;
  const args = [
    'squash',
    source,
    target,
    '--all',
    '--cache-dir',
    folder,
    '--max-scratch',
    '0',
    '--format',
    'json',
  ];
  // A write fails in the middle of a file, at 500 blocks of 512 bytes.
  const limited = await runToEnd('/bin/sh', [
    '-c',
    'ulimit -f 500; exec "$0" "$@"',
    process.execPath,
    bin,
    ...args,
  ]);
  expect(limited.stderr).not.toContain('bug in ocislim');
  expect(limited.status).toBe(0);
  const report = JSON.parse(limited.stdout) as {
    destination: { digest: string };
    warnings: { code: string; message: string }[];
  };
  expect(report.warnings).toEqual([
    { code: 'CACHE_OFF', message: expect.stringContaining('the work goes on without it') as string },
  ]);
  expect(report.destination.digest).toBe(
    await rewrite(['squash', source, `${registry.host}/full/app:2`, '--all']),
  );
  expect(partialIn(folder)).toEqual([]);
});

it('an interrupted run leaves whole blobs only', async () => {
  const upstream = await FakeRegistry.start();
  hold(upstream.repository('app'), image, '1');
  const count: Count = { requests: 0, strike: null };
  const front = await Front.start(upstream.host, count);
  for (const number of [3, 4, 5, 6]) {
    const folder = join(work, `interrupted-${number}`);
    let signal: (name: NodeJS.Signals) => void = () => {};
    const act = async () => signal('SIGINT');
    Object.assign(count, { requests: 0, strike: { number, moment: 'half-way', act } });
    const args = ['copy', `${front.host}/app:1`, `oci:${join(work, 'never')}:1`, '--cache-dir', folder];
    const child = startOcislim(args);
    signal = (name) => void child.kill(name);
    const status = await new Promise((resolve) => child.once('exit', resolve));
    expect(status).toBe(130);
    expect(partialIn(folder)).toEqual([]);
    cachedBlobs(folder);
  }
  await front.stop();
  await upstream.close();
});

it.each(['file', 'file/below'])(
  'a --cache-dir that cannot be a folder is an error at once: %s',
  async (name) => {
    writeFileSync(join(work, 'file'), '');
    const { status, stderr } = await ocislim(['copy', source, 'oci:x:1', '--cache-dir', join(work, name)]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ocislim: --cache-dir: .*(?:is not a folder|not a directory) \[IO\]/);
  },
);

it('OCISLIM_CACHE_DIR stands for the option', async () => {
  const folder = join(work, 'environment');
  await rewrite(['copy', source, `oci:${join(work, 'copy-3')}:1`], { OCISLIM_CACHE_DIR: folder });
  expect(readdirSync(folder).sort()).toEqual(['CACHEDIR.TAG', 'blobs', 'partial', 'recipes']);
  // The config and the manifest are two more.
  expect(cachedBlobs(folder).size).toBe(image.layers.length + 2);
});
