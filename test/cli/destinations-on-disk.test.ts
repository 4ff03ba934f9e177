/** Destinations that are links, devices, pipes or folders: what is not ours is not replaced. */
import { execFileSync } from 'node:child_process';
import { link, lstat, mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { openScene } from '../support/scene.ts';
import { listFiles, smallImage } from '../support/store/local.ts';

const image = smallImage();
const scene = openScene(() => ({ app: image }));
const source = () => scene.at('app');

describe('a destination that is a link', () => {
  test.each([
    ['oci-archive', 'there'],
    ['oci-archive', 'absent'],
    ['docker-archive', 'there'],
    ['docker-archive', 'absent'],
  ])('of %s is followed to its file, which is %s', async (form, state) => {
    const name = `${form}-${state}`;
    await mkdir(scene.path(name));
    if (state === 'there') await writeFile(scene.path(name, 'real.tar'), '');
    await symlink(`${name}/real.tar`, scene.path(`${name}.tar`));
    await scene.run('copy', source(), `${form}:${scene.path(`${name}.tar`)}:v1`);
    expect(await readlink(scene.path(`${name}.tar`))).toBe(`${name}/real.tar`);
    expect(await listFiles(scene.path(name))).toEqual(['real.tar']);
    await scene.expectSame(source(), `${form}:${scene.path(name, 'real.tar')}`);
  });

  test.each(['there', 'absent'])('of a layout is followed to its folder, which is %s', async (state) => {
    if (state === 'there') await mkdir(scene.path(`layout-${state}`));
    await symlink(`layout-${state}`, scene.path(`link-${state}`));
    await scene.run('copy', source(), scene.at('v1', `link-${state}`));
    expect((await lstat(scene.path(`link-${state}`))).isSymbolicLink()).toBe(true);
    await scene.expectSame(source(), scene.at('v1', `layout-${state}`));
  });

  test.each(['--report', '--digestfile', '--iidfile', '--metadata-file'])(
    'of %s is followed to its file',
    async (option) => {
      await symlink(`real${option}.json`, scene.path(`${option}.json`));
      await scene.run('copy', source(), scene.at('v2', 'files'), option, scene.path(`${option}.json`));
      expect(await readlink(scene.path(`${option}.json`))).toBe(`real${option}.json`);
      expect((await stat(scene.path(`real${option}.json`))).size).toBeGreaterThan(0);
    },
  );

  test('of export is followed to its file, also to one that does not exist yet', async () => {
    await symlink('rootfs/real.tar', scene.path('rootfs.tar'));
    await mkdir(scene.path('rootfs'));
    for (let times = 0; times < 2; times++) {
      await scene.run('export', source(), scene.path('rootfs.tar'));
      expect(await readlink(scene.path('rootfs.tar'))).toBe('rootfs/real.tar');
      expect(await listFiles(scene.path('rootfs'))).toEqual(['real.tar']);
    }
  });
});

describe('before anything is read', () => {
  beforeAll(async () => {
    await mkdir(scene.path('folder'));
    await writeFile(scene.path('file'), 'not ours');
    execFileSync('mkfifo', [scene.path('pipe')]);
    await symlink('pipe', scene.path('to-pipe'));
    await symlink('/dev/null', scene.path('to-device'));
  });
  const nowhere = 'oci:/nowhere:app';

  test.each([
    ['oci-archive', 'folder', 'a folder'],
    ['docker-archive', 'folder', 'a folder'],
    ['oci-archive', 'pipe', 'a named pipe'],
    ['docker-archive', 'to-pipe', 'a named pipe'],
    ['docker-archive', 'to-device', 'a device'],
    ['oci', 'file', 'a file'],
    ['oci', 'pipe', 'a named pipe'],
    ['oci', 'to-device', 'a device'],
  ])('%s refuses %s', async (form, name, kind) => {
    const { status, stderr } = await callCli(['copy', nowhere, `${form}:${scene.path(name)}`]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining(`it is ${kind}`) as string,
    });
    expect(await readFile(scene.path('file'), 'utf8')).toBe('not ours');
  });

  test.each(['--report', '--digestfile', '--iidfile', '--metadata-file'])(
    '%s refuses them',
    async (option) => {
      await mkdir(scene.path(`folder${option}.md`));
      execFileSync('mkfifo', [scene.path(`pipe${option}.json`)]);
      for (const [file, kind] of [
        [`folder${option}.md`, 'a folder'],
        [`pipe${option}.json`, 'a named pipe'],
      ]) {
        const result = await callCli([
          'copy',
          nowhere,
          scene.at('v3', 'files'),
          option,
          scene.path(file as string),
        ]);
        expect(result.status).toBe(1);
        expect(result.stderr).toContain(`it is ${kind}`);
      }
    },
  );

  test('export refuses a folder, and writes to a device', async () => {
    const { status, stderr } = await callCli(['export', nowhere, scene.path('folder')]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining('it is a folder') as string,
    });
    await scene.run('export', source(), scene.path('to-device'));
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });
});

test('a digest may be written to a device of the system', async () => {
  await scene.run('copy', source(), scene.at('v4', 'files'), '--digestfile', '/dev/null');
  expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
});

describe('the source is found as the destination', () => {
  beforeAll(async () => {
    await scene.run('copy', source(), `oci-archive:${scene.path('app.tar')}:app`);
    await symlink('app.tar', scene.path('soft.tar'));
    await link(scene.path('app.tar'), scene.path('hard.tar'));
    await symlink('.', scene.path('here'));
    await symlink('layout', scene.path('soft-layout'));
  });

  test.each([
    ['app.tar', 'soft.tar'],
    ['soft.tar', 'app.tar'],
    ['app.tar', 'hard.tar'],
    ['app.tar', 'here/here/app.tar'],
    ['here/app.tar', 'folder-of-none/../app.tar'],
  ])('from %s to %s', async (from, to) => {
    const before = await readFile(scene.path('app.tar'));
    for (const form of ['oci-archive', 'docker-archive']) {
      const result = await callCli([
        'squash',
        `oci-archive:${scene.path(from)}`,
        `${form}:${scene.path(to)}:app:2`,
        '--all',
      ]);
      expect({ status: result.status, stderr: result.stderr }).toEqual({
        status: 2,
        stderr: expect.stringMatching(/is the source/) as string,
      });
    }
    expect((await readFile(scene.path('app.tar'))).equals(before)).toBe(true);
  });

  test('in a layout, but not under another tag of it', async () => {
    for (const name of ['soft-layout', 'here/layout', 'here/here/soft-layout']) {
      const result = await callCli(['squash', source(), scene.at('app', name), '--all']);
      expect(result).toMatchObject({ status: 2 });
      expect(result.stderr).toMatch(/is the source.*\n {2}--in-place/);
    }
    await scene.run('copy', source(), scene.at('other', 'soft-layout'));
  });

  test('by export too', async () => {
    const { status, stderr } = await callCli([
      'export',
      `oci-archive:${scene.path('app.tar')}`,
      scene.path('soft.tar'),
    ]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('is the source') as string,
    });
  });
});
