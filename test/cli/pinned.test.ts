import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type AccessEntry,
  type RegistryServer,
  serveRegistry,
} from '../../src/store/server/serve-registry.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';

let folder = '';
let server: RegistryServer;
let pinned = '';
let moved = '';
const log: AccessEntry[] = [];
const stop = new AbortController();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-cli-'));
  await writeLayout(join(folder, 'layout'), {
    old: buildImage({ layers: [tar('bin/', 'bin/sh=shell'), tar('app=old')] }),
    base: buildImage({ layers: [tar('bin/', 'bin/sh=shell')] }),
    new: buildImage({ layers: [tar('app=new'), tar('other=1')] }),
  });
  server = await serveRegistry({
    layoutDir: join(folder, 'registry'),
    signal: stop.signal,
    accessLog: (entry) => void log.push(entry),
  });
  pinned = await succeed('copy', `oci:${folder}/layout:old`, `${server.host}/app:1`);
  moved = await succeed('copy', `oci:${folder}/layout:new`, `${server.host}/app:1`);
});
beforeEach(() => void log.splice(0));
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function succeed(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await callCli(args);
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

async function refuse(...args: readonly string[]): Promise<string> {
  const { status, stderr } = await callCli(args);
  expect(status).toBe(2);
  return stderr;
}

const digestOf = (reference: string) => reference.slice(reference.indexOf('@') + 1);

const rewriting: readonly (readonly [command: string, ...options: readonly string[]])[] = [
  ['copy'],
  ['squash', '--all'],
  ['prune', '--shadowed'],
  ['recompress', '--compression', 'zstd'],
  ['slim'],
];

describe.each(rewriting)('%s of an image pinned by its digest', (command, ...options) => {
  test.each([
    ['its digest', () => pinned],
    ['a tag that has moved on, and its digest', () => pinned.replace('@', ':1@')],
    ['a tag that is gone, and its digest, with docker://', () => `docker://${pinned.replace('@', ':gone@')}`],
  ])('by %s reads the digest and asks for no tag; the result can be named again', async (_, source) => {
    const result = await succeed(command, source(), `${server.host}/out@`, ...options);
    expect(log.map(({ path }) => path).filter((path) => /\/manifests\/(?:1|gone)$/.test(path))).toEqual([]);
    expect(result).toMatch(/\/out@sha256:[0-9a-f]{64}$/);
    expect(await succeed('verify', pinned, result)).toContain('the same');
    if (command === 'copy') expect(digestOf(result)).toBe(digestOf(pinned));
    await succeed('copy', result, `oci:${folder}/${command}:x`);
  });
});

test('a destination without a tag leaves all tags as they are', async () => {
  const report = join(folder, 'report.json');
  const result = await succeed('squash', pinned, '-t', `${server.host}/app@`, '--all', '--report', report);
  const { destination } = JSON.parse(await readFile(report, 'utf8')) as { destination: unknown };
  expect(destination).toMatchObject({ references: [result] });
  expect(digestOf(await succeed('copy', `${server.host}/app:1`, `oci:${folder}/copied:x`))).toBe(
    digestOf(moved),
  );
  expect(log.filter(({ method, path }) => method === 'PUT' && path.includes('/app/manifests/1'))).toEqual([]);
  await succeed('squash', pinned, '-t', `${server.host}/app@`, '-t', `${server.host}/app:both`, '--all');
  expect(digestOf(await succeed('copy', `${server.host}/app:both`, `oci:${folder}/copied:y`))).toBe(
    digestOf(result),
  );
});

test('--base, --original and verify take pinned images', async () => {
  const base = await succeed('copy', `oci:${folder}/layout:base`, `${server.host}/base@`);
  await succeed('squash', pinned, `oci:${folder}/based:x`, '--base', base);
  const slim = await succeed('prune', pinned, `${server.host}/slim@`, '--rule', 'bin', '--force');
  const whole = await succeed('restore', slim, `${server.host}/whole@`, '--original', pinned);
  expect(await succeed('verify', pinned, whole)).toContain('the same');
  await succeed('export', pinned, `${folder}/rootfs.tar`);
});

test('--in-place writes the tag that stands beside the digest', async () => {
  await succeed('copy', pinned, `${server.host}/place:1`);
  await succeed('copy', moved, `${server.host}/place:2`);
  const source = `${server.host}/place:2@${digestOf(pinned)}`;
  const result = await succeed('squash', source, '--in-place', '--all');
  expect(await succeed('verify', pinned, `${server.host}/place:2`)).toContain('the same');
  expect(digestOf(result)).not.toBe(digestOf(pinned));
  // A tag can be set back to a digest that it had.
  await succeed('copy', source, `${server.host}/place:2`);
});

test('what cannot be written says what to write instead', async () => {
  const place = `${server.host}/app`;
  expect(await refuse('squash', pinned, '--in-place', '--all')).toMatch(
    /--in-place needs a tag.*\n {2}.*app:TAG@sha256:[0-9a-f]{64};.*-t .*app@/,
  );
  for (const given of [[pinned], ['-t', pinned]])
    expect(await refuse('copy', moved, ...given)).toContain(`Write ${place}:TAG, or ${place}@ for no tag`);
  expect(await refuse('copy', `${place}@`, `${place}:x`)).toContain('no digest follows the "@"');
  expect(await refuse('verify', pinned, `${place}@`)).toContain('no digest follows the "@"');
  expect(await refuse('copy', pinned, `${place}:1@`)).toContain(`Write ${place}:1 for the tag, or ${place}@`);
  for (const tag of [`${place}@`, pinned])
    expect(await refuse('slim', pinned, `${place}:x`, '--debug-tag', tag)).toContain(`Write ${place}:TAG`);
});
