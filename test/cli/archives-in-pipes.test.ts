/** Archives on standard input and output. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pipeCli } from '../support/cli.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';
import { newForm, oldArchive, oldForm } from '../support/store/docker-archives.ts';
import { smallImage } from '../support/store/local.ts';

const image = smallImage({ compress: 'none' });
const other = smallImage({ compress: 'none', seed: 'other' });
const scene = openScene(() => ({ app: image }));
const old = writeTar(oldArchive(oldForm(image, ['app:v1']), oldForm(other, ['other:v1'])));
const one = writeTar(oldArchive(oldForm(image, ['app:v1'])));
const recent = writeTar(newForm([{ tree: image, name: 'app:v1', image }]));

describe('an archive on standard input', () => {
  test.each([
    ['docker-archive:-', one],
    ['docker-archive:-:app:v1', old],
    ['docker-archive:-', recent],
    ['docker-archive:-', gzipSync(one)],
    ['oci-archive:-', recent],
    ['oci-archive:-', zstdCompressSync(recent)],
  ])('is read by %s, packed or not', async (source, input) => {
    const to = scene.at('v1', 'read');
    const { status, stderr } = await pipeCli(['copy', source, to, '--compression', 'none'], input);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    await scene.expectSame(scene.at('app'), to);
  });

  test('is read by export, verify and a dry run', async () => {
    expect((await pipeCli(['export', 'docker-archive:-', '/dev/null'], one)).status).toBe(0);
    expect((await pipeCli(['verify', scene.at('app'), 'docker-archive:-'], one)).status).toBe(0);
    expect((await pipeCli(['squash', 'docker-archive:-', '--all', '--dry-run'], one)).status).toBe(0);
  });

  test('is refused where it is empty, truncated, too large, or asked for twice', async () => {
    const run = (input: Uint8Array, ...options: readonly string[]) =>
      pipeCli(['copy', 'docker-archive:-', scene.at('v1', 'refused'), ...options], input);
    expect((await run(new Uint8Array(0))).stderr).toContain('source docker-archive:-: the archive is empty');
    expect((await run(one.subarray(0, 5000))).stderr).toContain('truncated');
    const large = await run(one, '--max-scratch', '10kB');
    expect(large).toMatchObject({ status: 1 });
    expect(large.stderr).toContain('10 kB of disk that --max-scratch allows');
    const twice = await pipeCli(['verify', 'docker-archive:-', 'docker-archive:-'], one);
    expect(twice).toMatchObject({ status: 2 });
    expect(twice.stderr).toContain('standard input can be read once');
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is not waited for after %s', async (signal, status) => {
    const when = 'standard input';
    const args = ['squash', 'docker-archive:-', scene.at('v1', 'late'), '--all'];
    const result = await pipeCli(args, null, { when, signal });
    expect(result).toMatchObject({ status });
    expect(result.stderr).toContain('nothing was published');
  });
});
