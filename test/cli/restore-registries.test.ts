import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportSchema } from '../../src/report/schema.ts';
import { type RegistryServer, serveRegistry } from '../../src/store/server/serve-registry.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { type Short, specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

let folder = '';
let near: RegistryServer;
let far: RegistryServer;
const stop = new AbortController();
const tar = (...entries: Short[]) => writeTar(entries.map(specOf));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-cli-'));
  const docs = tar('usr/', 'usr/doc/', 'usr/doc/a=long', 'usr/doc/b->usr/doc/a');
  const image = buildImage({ layers: [tar('bin/', 'bin/sh=shell'), docs, tar('app=run')] });
  await writeLayout(join(folder, 'layout'), { app: image });
  near = await serveRegistry({ layoutDir: join(folder, 'near'), signal: stop.signal });
  far = await serveRegistry({ layoutDir: join(folder, 'far'), signal: stop.signal });
  await succeed('copy', `oci:${folder}/layout:app`, `${far.host}/team/app:1`);
});
afterAll(async () => {
  await near.close();
  await far.close();
  await rm(folder, { recursive: true, force: true });
});

async function succeed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await callCli(args);
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

test('the slim image in one registry, its original in another, the result in a third place', async () => {
  const [original, slim] = [`${far.host}/team/app:1`, `${near.host}/app:slim`];
  await succeed('prune', original, slim, '--rule', 'usr/doc');
  const refused = await callCli(['restore', slim, `${near.host}/other:whole`]);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain(`--original ${original}`);
  for (const result of [`${near.host}/other:whole`, `${far.host}/team/app:whole`, `oci:${folder}/third:1`]) {
    await succeed('restore', slim, result, '--original', original);
    expect(await succeed('verify', original, result)).toContain('the same');
  }
  await succeed('restore', slim, '--in-place', '--original', original);
  expect(await succeed('verify', original, slim)).toContain('the same');
});

test('credentials do not get into the name of the original', async () => {
  const report = join(folder, 'report.json');
  const slim = `oci:${folder}/quiet:slim`;
  await succeed('prune', `${far.host}/team/app:1`, slim, '--rule', 'usr/doc', '--src-creds', 'me:secret');
  const files = await readdir(join(folder, 'quiet/blobs/sha256'));
  const texts = await Promise.all(
    files.map((file) => readFile(join(folder, 'quiet/blobs/sha256', file), 'latin1')),
  );
  expect(texts.join('')).toContain(`"io.ocislim.original.name":"${far.host}/team/app:1"`);
  expect(texts.join('')).not.toContain('secret');
  await succeed('restore', slim, `oci:${folder}/quiet:whole`, '--report', report);
  const { platforms } = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
  expect(platforms[0]?.restoring?.paths.map(({ path }) => path)).toEqual([
    'usr/doc',
    'usr/doc/a',
    'usr/doc/b',
  ]);
});

test('what was verified is published from the layout; what the registry has is mounted', async () => {
  const report = join(folder, 'report.json');
  const plain = await succeed('prune', `${far.host}/team/app:1`, `${far.host}/plain:1`, '--rule', 'usr/doc');
  const checked = await succeed(
    'prune',
    `${far.host}/team/app:1`,
    `${far.host}/checked:1`,
    '--rule',
    'usr/doc',
    '--verify-with',
    'true',
    '--debug-tag',
    'debug',
    '--report',
    report,
  );
  expect(checked.split('@')[1]).toBe(plain.split('@')[1]);
  const { platforms, debug } = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
  expect(platforms[0]?.layers.map(({ action }) => action)).toEqual(['mounted', 'rewritten', 'mounted']);
  expect(debug?.reference).toBe(`${far.host}/checked:debug`);
  expect(await succeed('verify', `${far.host}/team/app:1`, `${far.host}/checked:debug`)).toContain(
    'the same',
  );
});

test('N3: on the word of an image out of a registry no other host is asked, and no file of this machine is read', async () => {
  const thief = await FakeRegistry.start();
  try {
    const file = join(folder, 'layout');
    for (const [i, name] of [
      `${thief.host}/app:1`,
      `${thief.host.replace('127.0.0.1', 'localhost')}/app:1`,
      `oci:${file}:app`,
      `oci-archive:${file}.tar:app`,
      'docker-archive:/etc/passwd',
      'docker://127.0.0.1:1/x',
      '\u001b[2J::error::x',
    ].entries()) {
      const slim = `${near.host}/liar:${i}`;
      await succeed(
        'copy',
        `oci:${file}:app`,
        slim,
        '--annotation',
        `io.ocislim.original.name=${name}`,
        '--annotation',
        `io.ocislim.original.digest=sha256:${'a'.repeat(64)}`,
      );
      const { status, stderr } = await callCli(['restore', slim, '--dry-run']);
      expect([status, stderr]).toEqual([
        expect.any(Number),
        expect.stringMatching(/which is not on the same host|cannot use "/),
      ]);
      expect(status).toBeGreaterThan(0);
    }
    expect(thief.requests).toEqual([]);
  } finally {
    await thief.close();
  }
});
