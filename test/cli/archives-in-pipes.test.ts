/** Archives on standard input and output. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { cliScript, pipeCli } from '../support/cli.ts';
import { buildImage } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { noise } from '../support/registry/setup.ts';
import { openScene } from '../support/scene.ts';
import { membersIn, tagsIn } from '../support/store/archives.ts';
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

  test('is not named as the original of a pruned image, since it cannot be read again', async () => {
    const to = scene.at('v1', 'pruned');
    const args = ['prune', 'docker-archive:-:app:v1', to, '--rule', '/app'];
    expect(await pipeCli(args, one)).toMatchObject({ status: 0 });
    const { annotations = {} } = (await scene.read('v1', 'pruned')).manifest;
    expect(Object.keys(annotations)).toEqual(['io.ocislim.original.digest']);
    const file = await scene.write('original.tar', one);
    await scene.run('restore', to, scene.at('v1', 'restored'), '--original', `docker-archive:${file}`);
    await scene.expectSame(scene.at('app'), scene.at('v1', 'restored'));
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

describe('an archive on standard output', () => {
  const rowsIn = (tar: Uint8Array) =>
    (
      membersIn(tar).json('index.json') as { manifests: { annotations?: Record<string, string> }[] }
    ).manifests.map(({ annotations }) => annotations);

  test.each(['docker-archive', 'oci-archive'])(
    'of the form %s is what a file would be, and its name is on stderr',
    async (form) => {
      const name = form === 'docker-archive' ? ':app:v2' : ':v2';
      const file = `${form}:${scene.path(`${form}.tar`)}${name}`;
      await scene.run('squash', scene.at('app'), file, '--all', '-q');
      const piped = await pipeCli(['squash', scene.at('app'), `${form}:-${name}`, '--all', '-q'], null);
      expect(piped).toMatchObject({
        status: 0,
        stderr: expect.stringMatching(new RegExp(`^${form}:-${name}.*\n$`)) as string,
      });
      expect(piped.stdout.equals(await readFile(scene.path(`${form}.tar`)))).toBe(true);
    },
  );

  test('may come from one on standard input, with its name', async () => {
    for (const input of [one, recent, gzipSync(one)]) {
      const { status, stdout, stderr } = await pipeCli(
        ['squash', 'docker-archive:-', 'docker-archive:-', '--all'],
        input,
      );
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(tagsIn(stdout)).toEqual([['app:v1']]);
      expect((await pipeCli(['verify', scene.at('app'), 'docker-archive:-'], stdout)).status).toBe(0);
    }
    const oci = await pipeCli(['copy', 'docker-archive:-', 'oci-archive:-'], one);
    expect(rowsIn(oci.stdout)).toEqual([
      {
        'io.containerd.image.name': 'docker.io/library/app:v1',
        'org.opencontainers.image.ref.name': 'app:v1',
      },
    ]);
    expect((await pipeCli(['verify', scene.at('app'), 'oci-archive:-'], oci.stdout)).status).toBe(0);
  });

  test.each([
    [
      'docker-archive',
      ['--name', 'registry.example/x:2', '--name', 'y'],
      ['registry.example/x:2', 'y:latest'],
    ],
    ['docker-archive', [], null],
    ['oci-archive', ['--name', 'x:2'], ['x:2']],
    ['oci-archive', [], ['app']],
  ])('of the form %s with the options %j is named %j', async (form, options, names) => {
    const { stdout } = await pipeCli(['copy', scene.at('app'), `${form}:-`, ...options], null);
    if (form === 'docker-archive') expect(tagsIn(stdout)).toEqual([names]);
    else expect(rowsIn(stdout).map((row) => row?.['org.opencontainers.image.ref.name'])).toEqual(names);
  });

  test('is refused with --format json, and --name beside another name or place', async () => {
    const refused = async (...args: readonly string[]) => {
      const { status, stdout, stderr } = await pipeCli(['copy', scene.at('app'), ...args], null);
      expect({ status, stdout: stdout.length }).toEqual({ status: 2, stdout: 0 });
      return stderr;
    };
    expect(await refused('docker-archive:-', '--format', 'json')).toContain('--report FILE.json');
    expect(await refused('docker-archive:-:app:1', '--name', 'app:2')).toContain('do not go together');
    expect(await refused(scene.at('x', 'other'), '--name', 'app:2')).toContain(
      '--name names the image in an archive',
    );
    expect(await refused('docker-archive:-', '--name', `app@${image.descriptor.digest}`)).toContain(
      'no digest',
    );
  });

  test('is nothing where the run fails, or --max-scratch does not suffice', async () => {
    const failed = await pipeCli(
      ['squash', 'docker-archive:-', 'docker-archive:-', '--all'],
      one.subarray(0, 20_000),
    );
    expect(failed).toMatchObject({ status: 1 });
    expect(failed.stdout).toHaveLength(0);
    const large = await pipeCli(['copy', scene.at('app'), 'docker-archive:-', '--max-scratch', '20kB'], null);
    expect(large).toMatchObject({ status: 1 });
    expect(large.stdout).toHaveLength(0);
    expect(large.stderr).toMatch(/destination docker-archive:-.*20 kB of disk that --max-scratch allows/);
  });

  test('ends where its reader goes', async () => {
    const layers = [writeTar([{ name: 'noise', body: noise(3_000_000) }])];
    await scene.writeLayout({ big: buildImage({ layers }) }, 'big');
    const command = `"$0" "$@" | head -c 100000 > ${scene.path('head')}; echo "\${PIPESTATUS[0]}"`;
    const args = [command, process.execPath, cliScript, 'copy', scene.at('big', 'big'), 'docker-archive:-'];
    const out = execFileSync('bash', ['-c', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    expect(out.toString()).toBe('141\n');
  });

  test.each([
    ['copy', 'docker-archive:-'],
    ['export', '-'],
  ])('%s to a reader that never reads ends with the signal', async (command, to) => {
    const layers = [writeTar([{ name: 'noise', body: noise(3_000_000) }])];
    await scene.writeLayout({ big: buildImage({ layers }) }, 'unread');
    const args = [cliScript, command, scene.at('big', 'unread'), to];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(child, 'exit');
    // Its first bytes are in the pipe, and stay there.
    await once(child.stdout, 'readable');
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    child.stdout.destroy();
  });
});
