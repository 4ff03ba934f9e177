/** `slim --record` between registries: every layer of the original is fetched once, and only what is published is sent. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ocislim } from '../../support/e2e/cli.ts';
import { DockerRegistry, uploadedBlobs } from '../../support/e2e/docker-registry.ts';
import { inspectRaw, openLayout, pull, push } from '../../support/e2e/judge.ts';
import { removeFolder, workFolder } from '../../support/e2e/programs.ts';
import { buildServer, commonServers, type Server } from '../../support/e2e/servers.ts';
import { buildFaults } from '../../support/e2e/faults.ts';
import { expectSmaller, expectWorking } from './slimmed-server.ts';

let work: string;
let registry: DockerRegistry;
beforeAll(async () => {
  work = workFolder('record-registry');
  registry = await DockerRegistry.start();
});
afterAll(async () => {
  await registry.stop();
  removeFolder(work);
});

it('one pull and one push: no layer is fetched twice, and only the result is sent', async () => {
  const server = commonServers.find(({ name }) => name === 'redis') as Server;
  const layout = await buildServer(server, inject('images'), work);
  const [source, target] = [`${registry.host}/app:1`, `${registry.host}/slim:1`];
  await push(`oci:${layout}:v1`, source);
  const home = join(work, 'home');
  const report = join(work, 'report.json');
  mkdirSync(home);
  const { result, requests } = await registry.during(() =>
    ocislim(
      [
        'slim',
        source,
        target,
        '--progress=none',
        '--record',
        '--run-for=0',
        `--report=${report}`,
        ...server.asked,
      ],
      { TMPDIR: home },
    ),
  );
  expect(result.status, result.stderr).toBe(0);
  const { manifest } = await openLayout(layout);
  const blobs = requests.flatMap(({ method, path, status }) =>
    method === 'GET' && status === 200 ? (/\/blobs\/(sha256:\w+)$/.exec(path)?.[1] ?? []) : [],
  );
  const layers = manifest.layers.map(({ digest }) => digest);
  expect(blobs.filter((digest) => digest !== manifest.config.digest).toSorted()).toEqual(layers.toSorted());
  const { transfer } = JSON.parse(readFileSync(report, 'utf8')) as { transfer: { downloadedBytes: number } };
  const size = manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
  expect(transfer.downloadedBytes).toBeGreaterThan(size);
  // Manifests and configs are small.
  expect(transfer.downloadedBytes).toBeLessThan(size + 100_000);
  const published = await inspectRaw(target);
  const known = new Set(layers);
  const added = [published.config, ...published.layers]
    .map(({ digest }) => digest)
    .filter((digest) => !known.has(digest));
  expect(uploadedBlobs(requests)).toEqual(new Set(added));
  const slim = join(work, 'slim');
  await pull(`docker://${target}`, slim);
  await expectSmaller({ server, layout, work }, published);
  await expectWorking({ server, work }, slim, 'root');
});

it('an image that does not do the same is not sent at all', async () => {
  await buildFaults(work);
  const state = join(work, 'state');
  mkdirSync(state);
  const [source, target] = [`${registry.host}/fault:1`, `${registry.host}/fault-slim:1`];
  await push(`oci:${join(work, 'server')}:v1`, source);
  const options = [
    '--run-env=FAULT=third-body',
    `--run-mount=${state}:/state`,
    '--run-for=0',
    '--http-probe=/',
  ];
  const { result, requests } = await registry.during(() =>
    ocislim(['slim', source, target, '--progress=none', '--record', ...options]),
  );
  expect(result.status, result.stderr).toBe(3);
  expect(requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
});
