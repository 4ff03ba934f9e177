import { describe, expect, it } from 'vitest';
import { StraceFilter } from '../../../src/jobs/record/strace-filter.ts';
import { TraceReader } from '../../../src/trace/trace-reader.ts';
import { b } from '../../support/bytes.ts';

function filtered(lines: readonly string[], launch: Partial<ConstructorParameters<typeof StraceFilter>[0]>) {
  const filter = new StraceFilter({ execs: 1, cwd: '/work', hostRoot: null, ...launch });
  return { filter, kept: lines.flatMap((line) => filter.take(b(line))) };
}

const bubble = [
  '10    execve("/usr/bin/bwrap", ["bwrap"], 0x1 /* 9 vars */) = 0',
  '10    openat(AT_FDCWD</work>, "/proc/sys/kernel/overflowuid", O_RDONLY) = 3</proc/sys/kernel/overflowuid>',
  "10    clone(child_stack=NULL, flags=SIGCHLD) = 2 /* 11 in strace's PID NS */",
  '11    execve("/usr/local/bin/app", ["app"], 0x1 /* 2 vars */) = -1 ENOENT (No such file or directory)',
  '11    execve("/usr/bin/app", ["app"], 0x1 /* 2 vars */ <unfinished ...>',
  '10    wait4(2,  <unfinished ...>',
  '11    <... execve resumed>) = 0',
  '11    openat(AT_FDCWD</srv>, "/etc/hosts", O_RDONLY) = 3</etc/hosts>',
  "11    clone(child_stack=NULL, flags=SIGCHLD) = 3 /* 12 in strace's PID NS */",
  '12    chdir("data") = 0',
  '10    openat(AT_FDCWD</work>, "/host/file", O_RDONLY) = 3</host/file>',
  '12    access("x", R_OK) = 0',
];

describe('StraceFilter', () => {
  it('keeps the lines from the execution of the command on, without those of its helpers', () => {
    const { filter, kept } = filtered(bubble, { execs: 2, cwd: '/srv' });
    expect(kept).toEqual([
      '11 chdir("/srv") = 0',
      '11    execve("/usr/bin/app", ["app"], 0x1 /* 2 vars */ <unfinished ...>',
      '11    <... execve resumed>) = 0',
      '11    openat(AT_FDCWD</srv>, "/etc/hosts", O_RDONLY) = 3</etc/hosts>',
      '11    clone(child_stack=NULL, flags=SIGCHLD) = 12',
      '12    chdir("data") = 0',
      '12    access("x", R_OK) = 0',
    ]);
    expect(filter.command).toBe(11);
    expect([...filter.alive]).toEqual([11, 12]);
  });

  it('gives a trace of the paths of the container', () => {
    const reader = new TraceReader('app');
    for (const line of filtered(bubble, { execs: 2, cwd: '/srv' }).kept)
      reader.write(Buffer.from(`${line}\n`));
    expect([...reader.end().paths.keys()].sort()).toEqual([
      'etc/hosts',
      'srv',
      'srv/data',
      'srv/data/x',
      'usr/bin/app',
    ]);
  });

  it('counts executions from that of a mark on, however many helpers a script ran before', () => {
    const script = [
      '10 execve("/usr/bin/unshare", ["unshare"], 0x1) = 0',
      '10 execve("/bin/sh", ["/bin/sh", "/dev/.ocislim/loader"], 0x1) = 0',
      '11 execve("/bin/mount", ["mount"], 0x1) = 0',
      '12 execve("/dev/.ocislim/loader", ["loader"], 0x1) = -1 EACCES (Permission denied)',
      '13 execve("/dev/.ocislim/loader", ["loader", "umount"], 0x1 <unfinished ...>',
      '14 execve("/bin/mount", ["mount"], 0x1) = 0',
      '13 <... execve resumed>) = 0',
      '15 execve("/dev/.ocislim/loader", ["loader", "setpriv"], 0x1) = 0',
      '15 execve("/app", ["app"], 0x1) = 0',
      '10 openat(AT_FDCWD</>, "/outside", O_RDONLY) = 3</outside>',
      '15 openat(AT_FDCWD</>, "/inside", O_RDONLY) = 3</inside>',
    ];
    const { filter, kept } = filtered(script, { execs: 3, mark: '/dev/.ocislim/loader', cwd: '/' });
    expect(filter.command).toBe(15);
    expect(kept).toEqual(['15 chdir("/") = 0', script[8], script[10]]);
  });

  it('tells the reader where the root is if strace shows descriptors from outside', () => {
    const lines = [
      '7 execve("/usr/bin/unshare", ["unshare"], 0x1) = 0',
      '7 chroot("/tmp/ro\\"ot") = 0',
      '7 execve("/bin/app", ["app"], 0x1) = 0',
      '7 openat(AT_FDCWD</tmp/ro"ot/srv>, "a", O_RDONLY) = 3</tmp/ro"ot/srv/a>',
      '7 stat("b", {}) = 0',
    ];
    const { kept } = filtered(lines, { execs: 2, cwd: '/srv', hostRoot: '/tmp/ro"ot' });
    expect(kept.slice(0, 2)).toEqual(['7 chroot("/tmp/ro\\"ot") = 0', '7 chdir("/srv") = 0']);
    const reader = new TraceReader('app', { roots: [b('/tmp/ro"ot')] });
    for (const line of kept) reader.write(Buffer.from(`${line}\n`));
    expect([...reader.end().paths.keys()].sort()).toEqual(['bin/app', 'srv', 'srv/a', 'srv/b']);
  });

  it.each([
    ['exited with 3 +++', { status: 3, signal: null }],
    ['killed by SIGTERM +++', { status: 143, signal: 'SIGTERM' }],
    ['killed by SIGSEGV (core dumped) +++', { status: 139, signal: 'SIGSEGV' }],
  ])('knows how the command ended: %s', (how, end) => {
    const { filter } = filtered(['5 execve("/a", ["a"], 0x1) = 0', '6 getpid() = 6', `5 +++ ${how}`], {});
    expect(filter.end).toEqual(end);
    expect([...filter.alive]).toEqual([6]);
  });

  it('forgets a thread that an execve of another has superseded', () => {
    const lines = ['5 execve("/a", ["a"], 0x1) = 0', '6 execve("/b", ["b"], 0x1 <unfinished ...>'];
    const { filter } = filtered([...lines, '6 +++ superseded by execve in pid 5 +++'], {});
    expect([...filter.alive]).toEqual([5]);
  });

  it('keeps no line of a command that never starts', () => {
    const { filter, kept } = filtered(
      ['5 execve("/a", ["a"], 0x1) = -1 ENOENT', 'strace: oh', '5 +++ exited with 1 +++'],
      {},
    );
    expect(kept).toEqual([]);
    expect(filter.command).toBeNull();
  });

  it.each([
    ['7 setgroups(0, NULL) = -1 EPERM (Operation not permitted)', { call: 'setgroups', error: 'EPERM' }],
    ['7 setresuid(1000, 1000, 1000) = -1 EINVAL (Invalid argument)', { call: 'setresuid', error: 'EINVAL' }],
    [
      '7 fchownat(AT_FDCWD</>, "/a", 7, 8, 0) = -1 EINVAL (Invalid argument)',
      { call: 'fchownat', error: 'EINVAL' },
    ],
    ['7 <... setgid resumed>) = -1 EPERM (Operation not permitted)', { call: 'setgid', error: 'EPERM' }],
    ['7 chown("/a", 7, 8) = -1 ENOENT (No such file or directory)', null],
    ['7 setuid(0) = 0', null],
    ['7 chmod("/a", 0600) = -1 EPERM (Operation not permitted)', null],
  ])('knows that the command could not switch users: %s', (line, refusal) => {
    const { filter } = filtered(['7 execve("/bin/app", ["app"], 0x1) = 0', line], {});
    expect(filter.refusal).toEqual(refusal);
  });

  it.each([
    ['7 setresuid(1000, 1000, 1000) = 0', true],
    ['7 setresuid(-1, 33, -1) = 0', true],
    ['7 setuid(33) = 0', true],
    ['7 setresuid(-1, 0, -1) = 0', false],
    ['7 setuid(0) = 0', false],
    ['7 setuid(33) = -1 EPERM (Operation not permitted)', false],
    ['7 setgid(33) = 0', false],
  ])(
    'believes a refusal only where no switch succeeded, since programs try to go back: %s',
    (line, could) => {
      const back = '7 setuid(0) = -1 EPERM (Operation not permitted)';
      const { filter } = filtered(['7 execve("/bin/app", ["app"], 0x1) = 0', line, back], {});
      expect(filter.refusal === null).toBe(could);
    },
  );
});
