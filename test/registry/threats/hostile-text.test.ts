import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callCli, type CliResult } from '../../support/cli.ts';
import { expectHarmless, expectNoMarkup, nasty, nastyHeader } from '../../support/hostile-text.ts';
import { buildImage, type BuiltImage } from '../../support/image-builder.ts';
import { writeTar } from '../../support/model/tar-bytes.ts';
import { FakeRegistry } from '../../support/registry/fake-registry.ts';
import type { Effect } from '../../support/registry/faults.ts';
import { fill } from '../../support/registry/image-run.ts';
import { tokenAuth } from '../../support/registry/tokens.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-text-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const image = (): BuiltImage =>
  buildImage({
    layers: [writeTar([{ type: 'file', name: 'a', body: new Uint8Array(10) }])],
    compress: 'none',
  });

/** Runs a command in every way of telling what happens. The files that it wrote are part of its output. */
async function runAll(
  args: (n: number) => readonly string[],
  env: Record<string, string> = {},
): Promise<readonly CliResult[]> {
  const results: CliResult[] = [];
  for (const [n, progress] of ['plain', 'json', 'none'].entries()) {
    const out = join(folder, `out-${n}`);
    await mkdir(out);
    const reports = [
      '--report',
      join(out, 'r.json'),
      '--report',
      join(out, 'r.md'),
      '--metadata-file',
      join(out, 'm.json'),
    ];
    const result = await callCli(
      [...args(n), '-v', '--progress', progress, '--retry-times', '0', ...reports],
      {
        NO_COLOR: '1',
        ...env,
      },
    );
    results.push(result);
    expectHarmless(result.stdout, `stdout, ${progress}`);
    expectHarmless(result.stderr, `stderr, ${progress}`);
    for (const name of await readdir(out)) {
      const text = await readFile(join(out, name), 'utf8');
      if (name.endsWith('.md')) expectNoMarkup(text, `${name}, ${progress}`);
      else expectHarmless(text, `${name}, ${progress}`);
    }
  }
  return results;
}

const json = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });
const change = (headers: Record<string, string | null>, body?: () => Uint8Array): Effect => ({
  kind: 'change',
  headers,
  ...(body === undefined ? {} : { body }),
});

const faults: readonly (readonly [string, string, RegExp, Effect])[] = [
  [
    'an error message',
    'GET',
    /manifests/,
    { kind: 'answer', status: 404, body: json('MANIFEST_UNKNOWN', nasty) },
  ],
  ['an error code', 'GET', /manifests/, { kind: 'answer', status: 400, body: json(nasty, 'no') }],
  ['an error in plain text', 'GET', /manifests/, { kind: 'answer', status: 403, body: nasty }],
  ['an error of an upload', 'POST', /uploads/, { kind: 'answer', status: 400, body: json('DENIED', nasty) }],
  [
    'an error of a manifest',
    'PUT',
    /manifests/,
    { kind: 'answer', status: 400, body: json('MANIFEST_INVALID', nasty) },
  ],
  [
    'a scheme of a login',
    'GET',
    /manifests/,
    { kind: 'answer', status: 401, headers: { 'www-authenticate': nastyHeader } },
  ],
  [
    'a realm',
    'GET',
    /manifests/,
    { kind: 'answer', status: 401, headers: { 'www-authenticate': `Bearer realm="ftp://x/${nastyHeader}"` } },
  ],
  [
    'a redirect',
    'GET',
    /blobs/,
    { kind: 'answer', status: 307, headers: { location: `ftp://x/${nastyHeader}` } },
  ],
  [
    'an upload location',
    'POST',
    /uploads/,
    { kind: 'answer', status: 202, headers: { location: `ftp://x/${nastyHeader}` } },
  ],
  ['a content type', 'GET', /manifests/, change({ 'content-type': `application/vnd.${nastyHeader}` })],
  ['a content encoding', 'GET', /blobs/, change({ 'content-encoding': nastyHeader })],
  [
    'a key of a manifest',
    'GET',
    /manifests/,
    change({ 'docker-content-digest': null }, () =>
      Buffer.from(JSON.stringify({ Layers: 1, [nasty]: 2 }).replace('}', `,${JSON.stringify(nasty)}:3}`)),
    ),
  ],
  [
    'a media type in a manifest',
    'GET',
    /manifests/,
    change({ 'docker-content-digest': null }, () =>
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: nasty })),
    ),
  ],
  [
    'a digest in a manifest',
    'GET',
    /manifests/,
    change({ 'docker-content-digest': null }, () =>
      Buffer.from(
        JSON.stringify({ schemaVersion: 2, config: { mediaType: 'x', size: 1, digest: nasty }, layers: [] }),
      ),
    ),
  ],
];

test.each(faults)('N14: %s drives no terminal and no CI service', async (_, method, path, effect) => {
  const fake = await startRegistry();
  fill(fake, 'app', image());
  fake.fault({ method, path, times: 99, effect });
  const results = await runAll((n) => ['copy', `${fake.host}/app:v1`, `${fake.host}/dst:v${n}`]);
  for (const { status, stderr } of results) {
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ocislim: .*127\.0\.0\.1/m);
  }
});

test('N14: nor does what a token server says', async () => {
  for (const body of [
    JSON.stringify({ details: nasty }),
    JSON.stringify({ error: nasty, error_description: nasty }),
    nasty,
  ]) {
    const fake = await startRegistry({ auth: tokenAuth() });
    fake.fault({
      method: 'GET',
      path: /token/,
      server: 'tokens',
      times: 99,
      effect: { kind: 'answer', status: 403, body },
    });
    const results = await runAll((n) => ['copy', `${fake.host}/app:v1`, `${fake.host}/dst:v${n}`]);
    expect(results.map(({ status }) => status)).toEqual([1, 1, 1]);
    expect(results[0]?.stderr).toContain('mark');
    for (const n of results.keys()) await rm(join(folder, `out-${n}`), { recursive: true });
  }
});

test('N14: nor does what a registry warns of, with success', async () => {
  const fake = closing(
    await FakeRegistry.start({
      manifestHeaders: { warning: `299 - "${nastyHeader}"`, 'ratelimit-remaining': nastyHeader },
    }),
  );
  fill(fake, 'app', image());
  const results = await runAll((n) => ['copy', `${fake.host}/app:v1`, `${fake.host}/dst:v${n}`]);
  for (const { status } of results) expect(status).toBe(0);
  expect(results[0]?.stderr).toContain('warning: 127.0.0.1');
  expect(results[0]?.stderr).toContain('mark');
});

test('N14: nor do names of files, labels, authors and annotations of an image', async () => {
  const fake = await startRegistry();
  // As the bytes that a tar has.
  const name = Buffer.from(`cache/${nasty.replaceAll('/', '_')}`).toString('latin1');
  const tar = writeTar([{ type: 'file', name, body: new Uint8Array(2000) }]);
  const keep = writeTar([{ type: 'file', name: 'keep', body: new Uint8Array(10) }]);
  fill(
    fake,
    'app',
    buildImage({
      layers: [keep, tar],
      annotations: { [nasty]: nasty },
      config: { author: nasty, history: [nasty, nasty].map((text) => ({ created_by: text, comment: text })) },
    }),
  );
  const results = await runAll((n) => [
    'prune',
    `${fake.host}/app:v1`,
    `${fake.host}/dst:v${n}`,
    '--rule',
    'cache',
  ]);
  for (const { status } of results) expect(status).toBe(0);
  expect(await readFile(join(folder, 'out-0/r.md'), 'utf8')).toContain('mark');
});

test('N14: nor does a credential helper', async () => {
  const fake = await startRegistry({ auth: { kind: 'basic', username: 'bob', password: 'x' } });
  const helper = join(folder, 'docker-credential-loud');
  await writeFile(join(folder, 'text'), nasty.replace('mark ', 'mark'));
  await writeFile(helper, `#!/bin/sh\ncat '${join(folder, 'text')}' >&2\nexit 1\n`);
  await chmod(helper, 0o755);
  const config = JSON.stringify({ credsStore: 'loud' });
  const results = await runAll((n) => ['copy', `${fake.host}/app:v1`, `${fake.host}/dst:v${n}`], {
    DOCKER_AUTH_CONFIG: config,
    PATH: `${folder}:/usr/bin:/bin`,
  });
  for (const { status, stderr } of results) {
    expect(status).toBe(1);
    expect(stderr).toContain('docker-credential-loud failed');
  }
});
