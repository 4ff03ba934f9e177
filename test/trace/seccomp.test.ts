import { describe, expect, it } from 'vitest';
import { namelessCalls, seccompProfile } from '../../src/trace/seccomp.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { readFixture, readTrace } from './read-trace.ts';

const whole = readFixture('strace/f-all.txt');

function withCalls(names: readonly string[], platform: string | null = null): Trace {
  return { ...whole, platform, syscalls: new Map(names.map((name) => [name, 1])) };
}

const allowed = (trace: Trace): string[] =>
  seccompProfile(trace)
    .syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW')
    .flatMap(({ names }) => names);

/** What Docker reads of a profile (its Go types), with the values that it knows. */
function formProblems(profile: unknown): string[] {
  const problems: string[] = [];
  const expectKeys = (value: object, keys: readonly string[], where: string) => {
    for (const key of Object.keys(value)) if (!keys.includes(key)) problems.push(`${where}: ${key}`);
  };
  const text = JSON.parse(JSON.stringify(profile)) as Record<string, unknown>;
  expectKeys(text, ['defaultAction', 'defaultErrnoRet', 'archMap', 'syscalls'], 'profile');
  for (const entry of text['archMap'] as Record<string, unknown>[]) {
    expectKeys(entry, ['architecture', 'subArchitectures'], 'archMap');
    for (const name of [entry['architecture'], ...(entry['subArchitectures'] as string[])])
      if (!/^SCMP_ARCH_[A-Z0-9_]+$/.test(String(name))) problems.push(`architecture ${String(name)}`);
  }
  const names: string[] = [];
  for (const group of text['syscalls'] as Record<string, unknown>[]) {
    expectKeys(group, ['names', 'action', 'errnoRet', 'comment'], 'syscalls');
    names.push(...(group['names'] as string[]));
    if (!['SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO'].includes(String(group['action'])))
      problems.push(`action ${String(group['action'])}`);
    // libseccomp refuses a rule that says what is the default anyway.
    if (group['action'] === text['defaultAction'] && group['errnoRet'] === text['defaultErrnoRet'])
      problems.push('a rule that is the default');
  }
  if (new Set(names).size !== names.length) problems.push('a name is there twice');
  for (const name of names) if (!/^[a-z_][a-z0-9_]*$/.test(name)) problems.push(`name ${name}`);
  return problems;
}

describe('seccompProfile', () => {
  it('allows the calls of the trace, sorted, and refuses all others with EPERM', () => {
    const profile = seccompProfile(whole);
    expect(profile).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1 });
    expect(profile.syscalls[0]?.names).toEqual([...whole.syscalls.keys()].sort());
    expect(whole.syscalls.size).toBeGreaterThan(30);
    expect(allowed(whole)).not.toContain('mkdir');
    expect(allowed(whole)).not.toContain('ptrace');
    expect(formProblems(profile)).toEqual([]);
  });

  it('allows the calls of a runtime before the program runs, and says so', () => {
    const profile = seccompProfile(withCalls(['read', 'exit_group']));
    expect(profile.syscalls[0]).toEqual({
      names: ['exit_group', 'read'],
      action: 'SCMP_ACT_ALLOW',
      comment: 'Calls of the program, from the trace.',
    });
    const runtime = profile.syscalls[1];
    expect(runtime?.comment).toContain('runc');
    // What must be there for the program to be started at all, with and without no-new-privileges.
    const started =
      'execve futex close openat write getppid chdir setuid setgid setgroups capset prctl fchown newfstatat';
    expect(runtime?.names).toEqual(expect.arrayContaining(started.split(' ')));
    for (const name of [
      'mount',
      'umount2',
      'setns',
      'unshare',
      'pivot_root',
      'socket',
      'bpf',
      'keyctl',
      'seccomp',
      'ptrace',
      'personality',
    ])
      expect(allowed(withCalls(['read']))).not.toContain(name);
    expect(formProblems(profile)).toEqual([]);
  });

  it('allows calls that the vDSO answers on most machines, and those that only follow a signal', () => {
    expect(allowed(withCalls(['read']))).toEqual(
      expect.arrayContaining(['clock_gettime', 'gettimeofday', 'time', 'restart_syscall', 'rt_sigreturn']),
    );
  });

  it('allows clone3 if it was used, and else lets it fail with ENOSYS, so that clone is tried', () => {
    const clone3 = (names: readonly string[]) =>
      seccompProfile(withCalls(names))
        .syscalls.filter((group) => group.names.includes('clone3'))
        .map(({ action, errnoRet }) => [action, errnoRet]);
    expect(clone3(['clone3'])).toEqual([['SCMP_ACT_ALLOW', undefined]]);
    expect(allowed(withCalls(['clone3']))).toContain('clone');
    expect(clone3(['clone'])).toEqual([['SCMP_ACT_ERRNO', 38]]);
  });

  it.each([
    ['linux/amd64', ['read'], [['SCMP_ARCH_X86_64']]],
    ['linux/amd64', ['read', 'mmap2'], [['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']]],
    ['linux/arm64/v8', ['read', 'pread64', 'fadvise64'], [['SCMP_ARCH_AARCH64']]],
    ['linux/arm64', ['setuid32'], [['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']]],
    ['linux/riscv64', ['read'], [['SCMP_ARCH_RISCV64']]],
    ['linux/sparc64', ['read'], []],
    ['linux/constructor', ['read'], []],
    [null, ['arch_prctl'], [['SCMP_ARCH_X86_64']]],
    [
      null,
      ['read'],
      [['SCMP_ARCH_X86_64'], ['SCMP_ARCH_AARCH64'], ['SCMP_ARCH_S390X'], ['SCMP_ARCH_RISCV64']],
    ],
  ])('is for these architectures on %s with %j: %j', (platform, names, expected) => {
    const map = seccompProfile(withCalls(names, platform)).archMap;
    expect(map.map(({ architecture, subArchitectures }) => [architecture, ...subArchitectures])).toEqual(
      expected,
    );
  });

  it('leaves out calls that strace has no name for, and tells which', () => {
    const trace = withCalls(['read', 'syscall_0x1cf', 'syscall_467']);
    expect(allowed(trace)).not.toContain('syscall_0x1cf');
    expect(namelessCalls(trace)).toEqual(['syscall_0x1cf', 'syscall_467']);
    expect(formProblems(seccompProfile(trace))).toEqual([]);
  });

  it('refuses a trace that does not have all calls', () => {
    const thrown = (trace: Trace): unknown => {
      try {
        return seccompProfile(trace);
      } catch (error) {
        return error;
      }
    };
    expect(thrown(readFixture('strace/f.txt'))).toMatchObject({
      code: 'TRACE_INVALID',
      message: expect.stringContaining('f.txt does not hold every system call'),
      advice: expect.stringContaining('strace -f -o'),
    });
    expect(thrown(readTrace('/etc/passwd\n/usr/bin/nginx\n'))).toMatchObject({
      code: 'TRACE_INVALID',
      message: 'app.trace holds no system calls',
    });
  });
});
