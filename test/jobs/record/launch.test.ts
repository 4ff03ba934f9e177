import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entrance } from '../../../src/jobs/record/entrance.ts';
import { idsOf } from '../../../src/jobs/record/identity.ts';
import { launchHere, launchIn, noFittings, userOf } from '../../../src/jobs/record/launch.ts';

let root: string;

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'ocislim-launch-')));
  await mkdir(join(root, 'etc'));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\napp:x:1000:1001::/app:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nweb:x:33:app,other\n');
});
afterAll(() => rm(root, { recursive: true }));

describe('launches', () => {
  const container = {
    root: '/r',
    cwd: '/srv',
    uid: 5,
    gid: 6,
    groups: [7, 8],
    env: { LANG: 'C' },
    network: 'private',
    hasCompany: false,
    fittings: noFittings,
  } as const;

  const single = {
    kind: 'sandbox',
    by: 'bwrap',
    users: 'one',
    privileges: { capabilities: [], setpriv: null },
    outside: [],
  } as const;

  it('starts the command itself in this container', () => {
    expect(launchHere(['app', '-x'], '/work', { A: '1' })).toEqual({
      program: 'app',
      outside: [],
      argv: ['app', '-x'],
      execs: 1,
      cwd: '/work',
      hostRoot: null,
      users: process.getuid?.() === 0 ? 'all' : 'own',
      env: { A: '1' },
      filter: null,
      place: null,
    });
  });

  it('tells as whom the command starts: root in a chroot without further users', () => {
    const own = { uid: process.getuid?.(), gid: process.getgid?.() };
    expect(userOf(launchHere(['app'], '/', {}))).toEqual(own);
    expect(userOf(launchIn(container, ['app'], single))).toEqual({ uid: 5, gid: 6 });
    const [alone, all] = (['one', 'all'] as const).map((users) =>
      userOf(launchIn(container, ['app'], { kind: 'chroot', users })),
    );
    expect([alone, all]).toEqual([
      { uid: 0, gid: 0 },
      { uid: 5, gid: 6 },
    ]);
  });

  it('shows paths of the container by bubblewrap, and passes on no variable of this process', () => {
    const { argv, hostRoot, execs } = launchIn(container, ['app'], single);
    const text = argv.join(' ');
    expect(text).toContain('--uid 5 --gid 6');
    expect(text).toContain('--unshare-net');
    expect(text).toContain('--bind /r / ');
    expect(text).toMatch(/--chdir \/srv --clearenv --setenv PATH \S+ --setenv LANG C -- app$/);
    expect([hostRoot, execs]).toEqual([null, 2]);
  });

  it('mounts what it is given by options of bubblewrap, in the order of the mounts', () => {
    const mounts = [
      { kind: 'memory', target: '/m', size: 1024, isShared: true },
      { kind: 'bind', source: '/s', target: '/m/s', readOnly: true },
      { kind: 'seal', target: '/m' },
      { kind: 'bind', source: '/s', target: '/w', readOnly: false },
      { kind: 'queues', target: '/dev/mqueue' },
    ] as const;
    const fittings = { ...container.fittings, mounts, hostname: 'box' };
    const argvOf = (changesModes: boolean) =>
      launchIn({ ...container, fittings }, ['app'], {
        ...single,
        privileges: { ...single.privileges, changesModes },
      }).argv.join(' ');
    expect(argvOf(false)).toContain(
      ' --dev /dev --size 1024 --tmpfs /m --ro-bind /s /m/s --remount-ro /m --bind /s /w --mqueue /dev/mqueue --hostname box ',
    );
    // Older ones cannot change modes.
    expect(argvOf(true)).toContain(' --perms 1777 --size 1024 --tmpfs /m ');
  });

  it('hands the filter of system calls to bubblewrap, and to no other way in', () => {
    const filter = Uint8Array.of(6, 0, 0, 0, 0, 0, 0xff, 0x7f);
    const filtered = { ...container, fittings: { ...container.fittings, filter } };
    const launch = launchIn(filtered, ['app'], single);
    expect(launch.argv.join(' ')).toMatch(/ --seccomp 3 -- app$/);
    expect(launch.filter).toBe(filter);
    const plain = launchIn(container, ['app'], single);
    expect([plain.filter, plain.argv.includes('--seccomp')]).toEqual([null, false]);
    const free = launchIn(filtered, ['app'], { kind: 'chroot', users: 'all' });
    expect([free.filter, free.argv.includes('--seccomp')]).toEqual([null, false]);
  });

  it('ends with its command, as a container does: what that leaves running is not waited for', () => {
    const { argv } = launchIn(container, ['app'], single);
    expect(argv.slice(0, argv.indexOf('--'))).toContain('--die-with-parent');
  });

  describe('as root', () => {
    const setpriv = {
      program: '/usr/bin/setpriv',
      loader: '/lib64/ld.so.2',
      libraries: ['/lib/libcap-ng.so.0'],
    };
    const privileges = { capabilities: ['CAP_CHOWN'], setpriv };
    const entrance = { kind: 'sandbox', by: 'bwrap', users: 'all', privileges, outside: [] } as const;

    it('makes no namespace of users, and hands on only what runtimes leave to root', () => {
      const { argv, execs } = launchIn({ ...container, uid: 0, gid: 0, groups: [] }, ['app'], entrance);
      const text = argv.join(' ');
      expect(text).not.toMatch(/--unshare-user|--uid|setpriv/);
      expect(text).toContain('--cap-drop ALL --cap-add CAP_CHOWN ');
      expect(text).toMatch(/ -- app$/);
      expect(execs).toBe(2);
    });

    it('lets every user share memory, as runtimes do, where bubblewrap can change modes', () => {
      const argvOf = (changesModes: boolean) =>
        launchIn(container, ['app'], {
          ...entrance,
          privileges: { ...entrance.privileges, changesModes },
        }).argv.join(' ');
      expect(argvOf(true)).toMatch(/ --dev \/dev .*--chmod 1777 \/dev\/shm .* -- /);
      expect(argvOf(false)).not.toContain('--chmod');
    });

    it('becomes another user by a program of this system, in a place that leaves nothing behind', () => {
      const { argv, execs } = launchIn(container, ['app'], entrance);
      const text = argv.join(' ');
      expect(text).toContain('--ro-bind /lib/libcap-ng.so.0 /dev/.ocislim/libcap-ng.so.0');
      expect(text).toMatch(
        / -- \/dev\/\.ocislim\/loader --library-path \/dev\/\.ocislim \/dev\/\.ocislim\/setpriv --reuid 5 --regid 6 --groups 7,8 --inh-caps=-all --ambient-caps=-all app$/,
      );
      expect(execs).toBe(3);
    });
  });

  it.each([
    ['one' as const, '--map-root-user --root /r --wd /srv app'],
    ['all' as const, '--setgid 6 --setuid 5 --root /r --wd /srv app'],
  ])('tells by a chroot with %s of the users where the root is on this machine', (users, args) => {
    const launch = launchIn(container, ['app'], { kind: 'chroot', users });
    expect(launch.argv.join(' ')).toBe(`unshare ${args}`);
    expect(launch.hostRoot).toBe('/r');
    expect(launch.env['LANG']).toBe('C');
  });
});

it.each([
  ['sandbox', 'all', 0, 'all'],
  ['sandbox', 'all', 5, 'own'],
  ['chroot', 'all', 0, 'all'],
  ['sandbox', 'one', 0, 'one'],
  ['sandbox', 'one', 5, 'own'],
  ['chroot', 'one', 5, 'one'],
] as const)(
  'in a %s with %s of the users, a command that starts as %i may become: %s',
  (kind, given, uid, users) => {
    const container = {
      root: '/r',
      cwd: '/',
      uid,
      gid: 0,
      groups: [],
      env: {},
      network: 'private',
      hasCompany: false,
      fittings: noFittings,
    } as const;
    const privileges = { capabilities: [], setpriv: null };
    const entrance = { kind, by: 'bwrap', users: given, privileges, outside: [] } as Entrance;
    expect(launchIn(container, ['app'], entrance).users).toBe(users);
  },
);

describe('the user of an image: idsOf', () => {
  it.each([
    ['', 0, 0],
    ['app', 1000, 1001],
    ['1000', 1000, 1001],
    ['77', 77, 0],
    ['app:web', 1000, 33],
    ['5:6', 5, 6],
  ])('%j runs as %s:%s', async (user, uid, gid) => {
    expect(await idsOf(root, user)).toMatchObject({ uid, gid });
  });

  it('has the groups that list it, unless a group is given, and a home', async () => {
    expect(await idsOf(root, 'app')).toEqual({ uid: 1000, gid: 1001, groups: [33], home: '/app' });
    expect(await idsOf(root, '1000')).toMatchObject({ groups: [33] });
    expect(await idsOf(root, 'app:1001')).toMatchObject({ groups: [] });
    expect(await idsOf(root, '')).toEqual({ uid: 0, gid: 0, groups: [], home: '/' });
    expect(await idsOf(root, '77')).toMatchObject({ groups: [], home: '/' });
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
