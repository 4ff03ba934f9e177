import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idsOf, launchHere, launchIn } from '../../../src/jobs/record/launch.ts';

let root: string;

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'ocislim-launch-')));
  await mkdir(join(root, 'etc'));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\napp:x:1000:1001::/app:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nweb:x:33:\n');
});
afterAll(() => rm(root, { recursive: true }));

describe('launches', () => {
  const container = { root: '/r', cwd: '/srv', uid: 5, gid: 6, env: { LANG: 'C' } };

  it('starts the command itself in this container', () => {
    expect(launchHere(['app', '-x'], '/work', { A: '1' })).toEqual({
      program: 'app',
      argv: ['app', '-x'],
      execs: 1,
      cwd: '/work',
      hostRoot: null,
      env: { A: '1' },
    });
  });

  it('shows paths of the container by bubblewrap, and passes on no variable of this process', () => {
    const { argv, hostRoot, execs } = launchIn(container, ['app'], 'bwrap');
    const text = argv.join(' ');
    expect(text).toContain('--uid 5 --gid 6');
    expect(text).toContain('--bind /r / ');
    expect(text).toMatch(/--chdir \/srv --clearenv --setenv PATH \S+ --setenv LANG C -- app$/);
    expect([hostRoot, execs]).toEqual([null, 2]);
  });

  it.each([
    ['unshare' as const, '--map-root-user --root /r --wd /srv app'],
    ['chroot' as const, '--setgid 6 --setuid 5 --root /r --wd /srv app'],
  ])('tells by %s where the root is on this machine', (entrance, args) => {
    const launch = launchIn(container, ['app'], entrance);
    expect(launch.argv.join(' ')).toBe(`unshare ${args}`);
    expect(launch.hostRoot).toBe('/r');
    expect(launch.env['LANG']).toBe('C');
  });
});

describe('the user of an image: idsOf', () => {
  it.each([
    ['', 0, 0],
    ['app', 1000, 1001],
    ['1000', 1000, 1001],
    ['77', 77, 0],
    ['app:web', 1000, 33],
    ['5:6', 5, 6],
  ])('%j runs as %s:%s', async (user, uid, gid) => {
    expect(await idsOf(root, user)).toEqual({ uid, gid });
  });

  it('refuses names that the root filesystem does not have', async () => {
    await expect(idsOf(root, 'nobody')).rejects.toThrow('has no user nobody');
    await expect(idsOf(root, 'app:nobody')).rejects.toThrow('has no user app:nobody');
  });

  it('does not look names up in files to which symlinks lead out of the root', async () => {
    const inner = join(root, 'inner');
    await mkdir(join(inner, 'etc'), { recursive: true });
    await symlink(join(root, 'etc/passwd'), join(inner, 'etc/passwd'));
    await expect(idsOf(inner, 'app')).rejects.toThrow('has no user app');
    expect(await idsOf('/', '0')).toMatchObject({ uid: 0 });
  });
});
