import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { tar } from '../jobs/rig.ts';
import { callCli } from '../support/cli.ts';
import { buildImage } from '../support/image-builder.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { hold } from '../support/registry/held-image.ts';
import { cachedBlobs, recipesIn } from '../support/store/cache.ts';

const image = buildImage({ layers: [tar('a=1', 'b=1'), tar('b=2'), tar('.wh.a', 'c=1')] });
let folder = '';
let from: FakeRegistry;
let to: FakeRegistry;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cli-cache-'));
  from = await FakeRegistry.start();
  to = await FakeRegistry.start();
  hold(from.repository('app'), image, '1');
});
afterAll(async () => {
  await from.close();
  await to.close();
  rmSync(folder, { recursive: true, force: true });
});

const blobsRead = () => from.sent('GET', /\/blobs\/|\/manifests\/(?:1$|sha256:)/).length;

test.each(['squash --all', 'prune --shadowed', 'recompress --compression zstd', 'copy', 'slim'])(
  '%s the second time says what came from the cache, and reads no blob and no manifest: no pull',
  async (command) => {
    const [name = '', ...args] = command.split(' ');
    const cache = join(folder, name);
    const report = join(folder, `${name}.json`);
    const line = (tag: string) => [
      name,
      `${from.host}/app:1`,
      `${to.host}/${name}:${tag}`,
      ...args,
      '--cache-dir',
      cache,
      '--report',
      report,
    ];
    const first = await callCli(line('1'));
    expect(first.status).toBe(0);
    const before = blobsRead();
    const second = await callCli(line('2'));
    expect(second.stdout).toBe(first.stdout);
    expect(blobsRead()).toBe(before);
    expect(second.stderr).toMatch(/transfer: .* from the cache/);
    const { transfer } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    expect(transfer.downloadedBytes).toBe(0);
    expect(transfer.cachedBytes).toBeGreaterThan(0);
    if (name === 'copy') expect(recipesIn(cache)).toEqual([]);
    else expect(recipesIn(cache).length).toBeGreaterThan(0);
  },
);

test('verify and export take it too, and the environment names it', async () => {
  const cache = join(folder, 'both');
  const source = `${from.host}/app:1`;
  expect((await callCli(['export', source, join(folder, 'rootfs.tar'), '--cache-dir', cache])).status).toBe(
    0,
  );
  expect(cachedBlobs(cache).size).toBeGreaterThan(image.layers.length);
  await callCli(['squash', source, `oci:${join(folder, 'flat')}:1`, '--all']);
  const before = blobsRead();
  const verified = await callCli(['verify', source, `oci:${join(folder, 'flat')}:1`], {
    OCISLIM_CACHE_DIR: cache,
  });
  expect(verified.status).toBe(0);
  expect(blobsRead()).toBe(before);
});

test('a dry run fills it for the run that follows', async () => {
  const cached = ['--cache-dir', join(folder, 'dry')];
  const line = ['squash', `${from.host}/app:1`, '--all', ...cached];
  expect((await callCli([...line, '--dry-run'])).status).toBe(0);
  const before = blobsRead();
  expect((await callCli([...line, '-t', `oci:${join(folder, 'dried')}:1`])).status).toBe(0);
  expect(blobsRead()).toBe(before);
});

test.each([
  [['--cache-size', 'much'], 2, '--cache-size: "much" is not a size'],
  [['--cache-dir='], 2, '--cache-dir is empty'],
  [['--cache-dir', 'FILE'], 1, 'is not a folder'],
  [['--cache-dir', 'FILE/below'], 1, '--cache-dir: cannot use the cache folder'],
])('%j is refused before anything is asked', async (options, status, message) => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const asked = from.requests.length;
  const args = options.map((each) => each.replace('FILE', file));
  const result = await callCli(['copy', `${from.host}/app:1`, `${to.host}/x:1`, ...args]);
  expect(result.status).toBe(status);
  expect(result.stderr).toContain(message);
  expect(from.requests.length).toBe(asked);
});
