/** Destinations that cannot be made: they are refused before an image is read, with what to do, and nothing is left behind. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkFolder, checkReplaceable } from '../../src/files/writable.ts';
import { callCli } from '../support/cli.ts';
import { openScene } from '../support/scene.ts';
import { listFiles, smallImage } from '../support/store/local.ts';

const scene = openScene(() => ({ app: smallImage() }));
const source = () => scene.at('app');
/** An image that is not there: what is refused before it is asked for is refused early. */
const nowhere = 'oci:/nowhere:app';

beforeAll(async () => {
  await writeFile(scene.path('file'), 'not ours');
  await mkdir(scene.path('there'));
  await symlink('circle-b', scene.path('circle-a'));
  await symlink('circle-a', scene.path('circle-b'));
  await symlink('gone/deep', scene.path('dangling'));
  await symlink('/proc/none', scene.path('to-proc'));
  await symlink('/dev/ptmx', scene.path('to-terminal'));
});

const long = 'n'.repeat(300);
const places: readonly (readonly [path: string, advice: RegExp])[] = [
  ['/proc/foo/bar', /name another place/],
  ['/proc/x', /name another place/],
  ['/proc/self/x', /name another place/],
  ['/proc/self/fd/x', /name another place/],
  ['/proc/sys/x', /[Nn]ame another place|on another disk/],
  ['/sys/foo/bar', /[Nn]ame another place|on another disk/],
  ['/sys/x', /[Nn]ame another place|on another disk/],
  ['/sys/kernel/x', /[Nn]ame another place|on another disk/],
  ['/dev/null/x', /A part of the path is a file/],
  ['DIR/file/x', /A part of the path is a file/],
  ['DIR/file/x/y', /A part of the path is a file/],
  [`DIR/${long}`, /Name a shorter path/],
  [`DIR/${long}/x`, /Name a shorter path/],
  [`DIR/${'d/'.repeat(3000)}x`, /Name a shorter path/],
  ['DIR/circle-a', /circle/],
  ['DIR/circle-a/x', /circle/],
  ['DIR/to-proc', /name another place/],
  ['DIR/to-proc/x', /name another place/],
];
const forms = ['oci', 'oci-archive', 'docker-archive'];

describe.each(forms)('%s refuses before an image is read', (form) => {
  test.each(places)('a place at %s', async (path, advice) => {
    const before = await listFiles(scene.folder);
    const target = `${form}:${path.replace('DIR', scene.folder)}:app`;
    for (const options of [[target], ['-t', target], [target, '--dry-run']]) {
      const { status, stderr } = await callCli(['copy', nowhere, ...options]);
      expect(status, stderr).toBe(1);
      expect(stderr).toMatch(/destination .*cannot write/);
      expect(stderr).toMatch(advice);
      expect(stderr).not.toContain('/nowhere');
    }
    expect(await listFiles(scene.folder)).toEqual(before);
  });
});

test.each(places)('export refuses before an image is read: %s', async (path, advice) => {
  const { status, stderr } = await callCli(['export', nowhere, path.replace('DIR', scene.folder)]);
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(advice);
  expect(stderr).not.toContain('/nowhere');
});

test.each(['gone', 'gone/deep', "it's gone"])('the folder of an archive is missing: %s', async (name) => {
  for (const [form, path] of [
    ['oci-archive', scene.path(name, 'x.tar')],
    ['docker-archive', scene.path('dangling', 'x.tar')],
  ] as const) {
    const { stderr } = await callCli(['copy', nowhere, `${form}:${path}`]);
    const [, command = ''] = /Make it first: (mkdir -p .+)\n/.exec(stderr) ?? [];
    // What is advised works as it stands.
    execFileSync('/bin/sh', ['-c', command]);
    await scene.run('copy', source(), `${form}:${path}`);
    execFileSync('rm', ['-rf', scene.path('gone'), scene.path(name)]);
  }
});

test('a debug image too', async () => {
  const { status, stderr } = await callCli([
    'prune',
    nowhere,
    scene.at('x', 'there'),
    '--rule',
    'x',
    '--debug-tag',
    'oci:/proc/foo:app',
  ]);
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('/proc/foo') as string });
});

describe('a dry run checks where it would write, as the run itself does:', () => {
  const dryRun = (...line: readonly string[]) => callCli([...line, '--dry-run']);

  test('the source itself is refused', async () => {
    for (const target of [source(), `oci:${scene.path('.', 'layout')}:app`]) {
      const { status, stderr } = await dryRun('squash', source(), target, '--all');
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: expect.stringContaining('is the source') as string,
      });
    }
    expect((await dryRun('squash', source(), '--all', '--in-place')).status).toBe(0);
    expect((await dryRun('squash', 'oci-archive:-', '--all', '--in-place')).status).toBe(2);
  });

  test.each([
    ['oci-archive:DIR/file:x', /is there, and is not an image archive/],
    ['docker-archive:DIR/file:x', /is there, and is not an image archive/],
    ['oci:DIR/full:x', /is not an OCI layout/],
    ['oci:DIR/there@sha256:00', /tag|digest/],
  ])('what stands at %s', async (target, message) => {
    await mkdir(scene.path('full'), { recursive: true });
    await writeFile(scene.path('full', 'other'), 'not ours');
    const before = await listFiles(scene.folder);
    const line = ['copy', source(), target.replace('DIR', scene.folder)];
    const dry = await dryRun(...line);
    expect(dry.stderr).toMatch(message);
    const { status, stderr } = await callCli(line);
    expect(stderr).toMatch(message);
    expect(dry.status).toBe(status);
    expect(await listFiles(scene.folder)).toEqual(before);
  });

  test('--name and --debug-tag', async () => {
    const layout = scene.at('x', 'there');
    expect((await dryRun('copy', source(), layout, '--name', 'x:1')).stderr).toContain('--name');
    const line = ['prune', source(), layout, '--shadowed', '--debug-tag'];
    expect((await dryRun(...line, 'x')).stderr).toContain('--debug-tag');
    expect((await dryRun(...line, 'oci:/proc/foo:app')).stderr).toContain('/proc/foo');
    expect((await dryRun('prune', source(), '--shadowed', '--debug-tag', 'x')).status).toBe(0);
  });

  test('nothing is made where all is well, and no destination need be named', async () => {
    const before = await listFiles(scene.folder);
    for (const target of ['oci:DIR/new/lay:x', 'oci-archive:DIR/new.tar:x', 'docker-archive:-', null]) {
      const where = target === null ? [] : [target.replace('DIR', scene.folder)];
      const { status, stderr } = await dryRun('squash', source(), ...where, '--all');
      expect(status, stderr).toBe(0);
    }
    expect(await listFiles(scene.folder)).toEqual(before);
  });
});

test('a name of 255 letters is long enough for an archive, a layout and a tar', async () => {
  const name = 'x'.repeat(255);
  for (const form of forms) {
    await mkdir(scene.path(`long-${form}`));
    await scene.run('copy', source(), `${form}:${scene.path(`long-${form}`, name)}`);
    expect((await listFiles(scene.path(`long-${form}`)))[0]).toContain(name);
  }
  await mkdir(scene.path('long-tar'));
  await scene.run('export', source(), scene.path('long-tar', name));
  expect(await listFiles(scene.path('long-tar'))).toEqual([name]);
});

test.each([
  ['export', ['']],
  ['export', ['DIR/new/']],
  ['copy', ['oci-archive:DIR/new/']],
  ['copy', ['docker-archive:DIR/new/']],
])('%s refuses before an image is read what cannot be a file: %j', async (command, [path = '']) => {
  const { status, stderr } = await callCli([command, nowhere, path.replace('DIR', scene.folder)]);
  expect([1, 2]).toContain(status);
  expect(stderr).toMatch(/\n {2}(?:Name a file|A variable of the shell)/);
  expect(stderr).not.toContain('/nowhere');
});

test('without the permission a place is refused, before an image is read', async () => {
  await mkdir(scene.path('closed'), { mode: 0o555 });
  const isRoot = process.geteuid?.() === 0;
  await chmod(scene.folder, 0o755);
  // Root may write everywhere.
  if (isRoot) process.seteuid?.(65_534);
  try {
    for (const check of [
      () => checkFolder(scene.path('closed')),
      () => checkFolder(scene.path('closed/new/blobs')),
      () => checkReplaceable(scene.path('closed/x.tar')),
    ])
      await expect(check()).rejects.toMatchObject({
        code: 'IO',
        message: expect.stringContaining('permission denied') as string,
        advice: expect.stringContaining('The permission is missing') as string,
      });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

describe('a tar is not written to a terminal', () => {
  test.each(['/dev/ptmx', '/dev/./ptmx', 'DIR/to-terminal'])('by the name %s', async (path) => {
    const { status, stderr } = await callCli(['export', nowhere, path.replace('DIR', scene.folder)]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(
        /not written to a terminal \[USAGE\]\n {2}Name a file, or pipe it/,
      ) as string,
    });
  });
});
