import { describe, expect, it } from 'vitest';
import { type Container, launchIn, noFittings } from '../../../src/jobs/record/launch.ts';

const portable = (name: string) => ({ program: `/usr/bin/${name}`, loader: '/lib64/ld.so', libraries: [] });
const privileges = {
  capabilities: ['CAP_CHOWN'],
  setpriv: portable('setpriv'),
  env: portable('env'),
  umount: portable('umount'),
  unshare: portable('unshare'),
};
const all = { kind: 'sandbox', by: 'unshare', users: 'all', privileges, outside: [] } as const;
const one = { ...all, users: 'one', outside: ['unshare', '--map-root-user', '--'] } as const;
const container: Container = {
  root: "/tmp/it's",
  cwd: '/srv',
  uid: 5,
  gid: 6,
  groups: [7, 8],
  env: { PATH: '/bin', A: "b 'c" },
  network: 'private',
  hasCompany: true,
  fittings: { ...noFittings, script: '/tmp/enter', hostname: 'box', bounds: ['prlimit', '--'] },
};

/** The lines of the script for a container. */
function linesOf(parts: Partial<Container> = {}, entrance: typeof all | typeof one = all): readonly string[] {
  const { script } = launchIn({ ...container, ...parts }, ['app', '-x'], entrance);
  return script?.text.split('\n') ?? [];
}

describe('the sandbox of unshare', () => {
  it('ends with its first process, and says nothing of its files on its command line', () => {
    const { argv, script, hostRoot, env } = launchIn(container, ['app'], all);
    expect(argv.join(' ')).toBe(
      'prlimit -- setpriv --pdeathsig KILL -- unshare --mount --pid --fork --kill-child --ipc --uts --net -- /bin/sh /tmp/enter',
    );
    expect(script?.file).toBe('/tmp/enter');
    expect(hostRoot).toBeNull();
    expect(Object.keys(env)).toEqual(['PATH']);
  });

  it('shares the network of this machine only where that is asked for', () => {
    const { argv, script } = launchIn({ ...container, network: 'host' }, ['app'], all);
    expect(argv).not.toContain('--net');
    expect(script?.text).not.toContain('lo up');
  });

  it('takes the old root away before anything of the image runs, and keeps its first process', () => {
    const lines = linesOf();
    const pivot = lines.indexOf('pivot_root . .');
    expect(lines[pivot + 1]).toMatch(/\/umount -l \.$/);
    expect(lines[pivot + 2]).toBe('cd /srv');
    expect(lines[pivot + 3]).toMatch(/ -- app -x$/);
    expect(lines.slice(pivot + 4)).toEqual(['exit $?', '']);
    expect(lines.slice(0, pivot)).toContain("cd '/tmp/it'\\''s'");
  });

  it.each([
    [all, 5, 4, '--bounding-set=-all,+chown --reuid 5 --regid 6 --groups 7,8 --inh-caps=-all'],
    [all, 0, 4, '--bounding-set=-all,+chown --reuid 0 --regid 6 --groups 7,8 --inh-caps=-all'],
    [one, 5, 5, '--map-user=5 --map-group=6 --keep-caps -- .*setpriv --bounding-set=-all --inh-caps=-all'],
  ] as const)('becomes the user, and gives up rights for ever: %#', (entrance, uid, execs, words) => {
    const given = { ...container, uid };
    const launch = launchIn(given, ['app'], entrance);
    const last = linesOf({ uid }, entrance).at(-3) ?? '';
    expect(last).toMatch(new RegExp(`env -i PATH=/bin 'A=b '\\\\''c' .*${words.replaceAll('+', '\\+')}`));
    expect(last).toContain(' --no-new-privs -- app');
    // umount, env, setpriv, and unshare where there is one user.
    expect(launch.execs).toBe(execs);
    expect(launch.mark).toBe('/dev/.ocislim/loader');
  });

  it('copies its helpers to where not even root can change them, also those of another name', () => {
    const lines = linesOf();
    const at = lines.findIndex((line) => line.startsWith('cp '));
    const programs = ['setpriv', 'env', 'umount', 'unshare'].map((name) => `/usr/bin/${name}`);
    expect(lines.slice(at, at + 3)).toEqual([
      `cp -L ${programs.join(' ')} ./dev/.ocislim/`,
      'cp -L /lib64/ld.so ./dev/.ocislim/loader',
      'mount -o remount,bind,ro,nosuid,nodev ./dev/.ocislim',
    ]);
    const busybox = { program: '/bin/busybox', loader: '/lib/ld.so', libraries: [] };
    const privileged = { ...privileges, setpriv: busybox, env: busybox, umount: busybox, unshare: busybox };
    const { script } = launchIn(container, ['app'], { ...all, privileges: privileged });
    expect(script?.text).toContain('\ncp -L /bin/busybox ./dev/.ocislim/umount\n');
    expect(script?.text).not.toMatch(/^cp -L {2}/m);
  });

  it('root of a namespace with one user needs no other namespace', () => {
    expect(linesOf({ uid: 0, gid: 0 }, one).at(-3)).not.toContain('--map-user');
    expect(launchIn({ ...container, uid: 0, gid: 0 }, ['app'], one).execs).toBe(4);
  });

  it('mounts what it is given, in order, with the flags that protect this machine', () => {
    const table = [
      { point: '/', flags: [] },
      { point: '/s', flags: ['noexec'] },
      { point: '/s/below', flags: ['ro', 'nosuid'] },
    ];
    const mounts = [
      { kind: 'memory', target: '/m', size: 1024, isShared: true },
      { kind: 'bind', source: '/s', target: '/m/a b', readOnly: true },
      { kind: 'seal', target: '/m' },
      { kind: 'bind', source: '/s', target: '/w', readOnly: false },
      { kind: 'queues', target: '/dev/mqueue' },
    ] as const;
    const lines = linesOf({ fittings: { ...container.fittings, mounts, table } });
    const at = lines.indexOf('[ -d ./m ] || mkdir -p ./m');
    expect(lines.slice(at, lines.indexOf('pivot_root . .'))).toEqual([
      '[ -d ./m ] || mkdir -p ./m',
      'mount -t tmpfs -o nosuid,nodev,mode=1777,size=1024 tmpfs ./m',
      "bind /s './m/a b' noexec,nosuid,nodev,ro",
      "mount -o remount,bind,ro,nosuid,nodev './m/a b/below'",
      'mount -o remount,bind,ro,nosuid,nodev ./m',
      'bind /s ./w noexec,nosuid,nodev',
      'mount -o remount,bind,ro,nosuid,nodev ./w/below',
      'mkdir ./dev/mqueue',
      'mount -t mqueue -o nosuid,nodev,noexec mqueue ./dev/mqueue',
    ]);
  });
});
