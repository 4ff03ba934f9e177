/** `fleet plan` against registries that list what they have, and against one that does not. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';
import type { FakeRegistry } from '../support/registry/fake-registry.ts';
import { hold } from '../support/registry/held-image.ts';
import { startRegistry } from '../support/registry/opened.ts';
import { newFolder } from '../support/store/local.ts';

const base = tar('bin/', 'bin/sh=shell');
const image = (name: string, created: string, architecture = 'amd64') =>
  buildImage({
    layers: [base, tar(`app=${name}`)],
    platform: { os: 'linux', architecture },
    config: { created },
  });

const old = image('old', '2025-01-01T00:00:00Z');
const recent = image('recent', '2026-01-01T00:00:00Z');
const arm = image('arm', '2026-02-01T00:00:00Z', 'arm64');
const index = buildIndex({ images: [recent, arm], attestations: true });

interface Row {
  readonly image: string;
  readonly tags: readonly string[];
  readonly platforms: readonly string[];
  readonly size: number;
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** Starts a registry with `team/api` (three tags, two images), `team/web` (an index), `tmp/x`, and an artifact. */
async function fleetRegistry(options: Parameters<typeof startRegistry>[0] = {}): Promise<FakeRegistry> {
  const fake = await startRegistry(options);
  hold(fake.repository('team/api'), old, 'v1');
  hold(fake.repository('team/api'), recent, 'v2');
  hold(fake.repository('team/api'), recent, 'latest');
  hold(fake.repository('team/api'), recent, `sha256-${'a'.repeat(64)}.sig`);
  hold(fake.repository('team/web'), index, 'v1');
  hold(fake.repository('tmp/x'), old, 'v1');
  return fake;
}

async function plan(...args: readonly string[]) {
  const { status, stdout, stderr } = await callCli(['fleet', 'plan', ...args]);
  const rows = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
  return { status, rows, stderr };
}

const names = (rows: readonly Row[], fake: FakeRegistry) =>
  rows.map((row) => `${row.image.replace(`${fake.host}/`, '').replace(/@.*/, '')}:${row.tags.join(',')}`);

describe('a registry', () => {
  test('is planned whole: each image once, with its tags, platforms and layers', async () => {
    const fake = await fleetRegistry({ largestPage: 1 });
    const { status, rows, stderr } = await plan(fake.host);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(names(rows, fake)).toEqual(['team/api:latest,v2', 'team/api:v1', 'team/web:v1', 'tmp/x:v1']);
    const [first, , web] = rows;
    expect(first).toMatchObject({
      image: `${fake.host}/team/api@${recent.descriptor.digest}`,
      platforms: ['linux/amd64'],
      created: '2026-01-01T00:00:00.000Z',
    });
    expect(web).toMatchObject({
      platforms: ['linux/amd64', 'linux/arm64'],
      created: '2026-02-01T00:00:00.000Z',
    });
    // The base is one layer of both platforms.
    expect(web?.layers).toHaveLength(3);
    expect(stderr).toContain('4 images with 5 tags in 3 repositories: 4 layers');
    // No layer is read, nor is anything written.
    const layers = rows.flatMap((row) => row.layers.map(({ digest }) => digest));
    expect(fake.requests.filter(({ path }) => layers.some((digest) => path.includes(digest)))).toEqual([]);
    expect(fake.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
  });

  test('is narrowed by names, tags, times and platforms', async () => {
    const fake = await fleetRegistry();
    const of = async (...args: readonly string[]) => names((await plan(...args)).rows, fake);
    expect(await of(fake.host, '--exclude', 'tmp')).toHaveLength(3);
    expect(await of(fake.host, '--include', '*/api')).toEqual(['team/api:latest,v2', 'team/api:v1']);
    expect(await of(`${fake.host}/team`, '--include', 'web')).toEqual(['team/web:v1']);
    expect(await of(`${fake.host}/team`, '--tags', 'v*', '--newest', '1')).toEqual([
      'team/api:v2',
      'team/web:v1',
    ]);
    expect(await of(fake.host, '--since', '2025-12-31')).toEqual(['team/api:latest,v2', 'team/web:v1']);
    expect(await of(fake.host, '--platform', 'linux/arm64')).toEqual(['team/web:v1']);
    expect(await of(`${fake.host}/team/api`)).toHaveLength(2);
    expect(await of(`${fake.host}/team/api:v1`, `${fake.host}/team/api`)).toEqual([
      'team/api:v1',
      'team/api:latest,v2',
    ]);
    expect(await of(`${fake.host}/team/api@${old.descriptor.digest}`)).toEqual(['team/api:']);
  });

  test('that does not list its repositories is planned by their names, and says so without any', async () => {
    const fake = await fleetRegistry({ catalog: false });
    const folder = await newFolder();
    await writeFile(join(folder, 'list'), `# all\n${fake.host}/team/api\n${fake.host}/tmp/x:v1\n`);
    const listed = await plan('--from', join(folder, 'list'), '-o', join(folder, 'plan'));
    expect(listed).toMatchObject({ status: 0, rows: [] });
    expect((await readFile(join(folder, 'plan'), 'utf8')).trim().split('\n')).toHaveLength(3);
    const whole = await plan(fake.host);
    expect(whole).toMatchObject({ status: 1, rows: [] });
    expect(whole.stderr).toContain('does not list its repositories');
    expect(whole.stderr).toContain('--from FILE');
  });

  test('of which a part fails is planned without that part, with status 4', async () => {
    const fake = await fleetRegistry();
    fake.fault({ method: 'GET', path: /tmp.x.tags/, times: 9, effect: { kind: 'answer', status: 403 } });
    fake.fault({
      method: 'GET',
      path: /team.web.manifests/,
      times: 9,
      effect: { kind: 'answer', status: 403 },
    });
    const { status, rows, stderr } = await plan(fake.host);
    expect(status).toBe(4);
    expect(names(rows, fake)).toEqual(['team/api:latest,v2', 'team/api:v1']);
    expect(stderr).toMatch(/FLEET_FAILED/);
    expect(stderr).toContain('0 left out, 2 failed');
  });

  test('may hold other things than images, which are left out', async () => {
    const fake = await fleetRegistry();
    const config = fake
      .repository('charts')
      .addBlob(Buffer.from('{}'), 'application/vnd.cncf.helm.config.v1+json');
    fake.repository('charts').addManifest(
      {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: config.json,
        layers: [],
      },
      'application/vnd.oci.image.manifest.v1+json',
      '1.0',
    );
    const { status, rows, stderr } = await plan(fake.host);
    expect(status).toBe(0);
    expect(rows).toHaveLength(4);
    expect(stderr).toContain('FLEET_LEFT_OUT');
    expect(stderr).toContain('1 left out, 0 failed');
  });
});

test('wrong words get the right ones', async () => {
  const refused = async (...args: readonly string[]) => {
    const { status, stderr } = await plan(...args);
    expect(status).toBe(2);
    return stderr;
  };
  expect(await refused()).toContain('needs a registry');
  expect(await refused('r.example', '--since', 'yesterday')).toContain('is not a date');
  expect(await refused('oci:folder')).toContain('is not in a registry');
});
