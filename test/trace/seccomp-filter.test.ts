/**
 * Filters of system calls. Their programs are run by an interpreter, and must decide as a plain reading of the profile does; where the machine has the
 * kernel's headers, the numbers are those of the headers.
 */
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileSeccomp, type FilterTarget, profileForTrial } from '../../src/trace/seccomp-filter.ts';
import { interfacesOf, isKnownCall } from '../../src/trace/seccomp-numbers.ts';
import type { GivenGroup, GivenProfile, SeccompAction } from '../../src/trace/seccomp-profile.ts';
import { seccompProfile } from '../../src/trace/seccomp.ts';
import { checkFilter, runFilter } from '../support/bpf.ts';
import { runs, seed } from '../support/extent.ts';
import { readFixture } from './read-trace.ts';

const target: FilterTarget = { architecture: 'amd64', kernel: '6.1.0', capabilities: ['CAP_CHOWN'] };
const [ALLOW, KILL] = [0x7fff_0000, 0];
const errno = (number: number) => 0x0005_0000 + number;

const audits = { x86_64: 0xc000_003e, i386: 0x4000_0003, aarch64: 0xc000_00b7, riscv64: 0xc000_00f3 };
const architectures = ['amd64', 'arm64', 'riscv64'] as const;
const known = new Map(architectures.map((name) => [name as string, interfacesOf(name) ?? []]));
const tables = (architecture: string) => known.get(architecture) ?? [];
/** The names of numbers, for each interface. */
const nameOf = new Map(
  [...known.values()]
    .flat()
    .map((each) => [each, new Map([...each.numbers].map(([name, number]) => [number, name]))]),
);

function compiled(profile: GivenProfile, given: Partial<FilterTarget> = {}) {
  const filter = compileSeccomp(profile, { ...target, ...given });
  if (filter === null) throw new Error('no table');
  checkFilter(filter.program);
  return filter;
}

/** Says what a profile does with a call of 64-bit programs on x86. */
function verdict(profile: GivenProfile, name: string, given: Partial<FilterTarget> = {}): number {
  const [native] = tables('amd64');
  const number = native?.numbers.get(name) ?? -1;
  return runFilter(compiled(profile, given).program, { audit: audits.x86_64, number });
}

const allow = (...names: string[]): GivenGroup => ({ names, action: 'SCMP_ACT_ALLOW' });
const strict = (...syscalls: GivenGroup[]): GivenProfile => ({ defaultAction: 'SCMP_ACT_ERRNO', syscalls });

describe('a random profile', () => {
  const values: Readonly<Record<Exclude<SeccompAction, 'SCMP_ACT_ERRNO'>, number>> = {
    SCMP_ACT_ALLOW: ALLOW,
    SCMP_ACT_KILL: KILL,
    SCMP_ACT_KILL_THREAD: KILL,
    SCMP_ACT_KILL_PROCESS: 0x8000_0000,
    SCMP_ACT_LOG: 0x7ffc_0000,
    SCMP_ACT_TRAP: 0x0003_0000,
  };
  const actions = Object.keys(values).concat('SCMP_ACT_ERRNO') as SeccompAction[];
  const valueOf = (action: SeccompAction, number = 1) =>
    action === 'SCMP_ACT_ERRNO' ? errno(number) : values[action];

  const names = [...new Set(architectures.flatMap(tables).flatMap(({ numbers }) => [...numbers.keys()]))];
  const group = fc.record(
    {
      names: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 200 }),
      action: fc.constantFrom(...actions),
      errnoRet: fc.nat(4095),
    },
    { requiredKeys: ['names', 'action'] },
  );
  const sub = fc.subarray(['SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_ARM']);
  const profiles = fc.record(
    {
      defaultAction: fc.constantFrom(...actions),
      defaultErrnoRet: fc.nat(4095),
      archMap: fc.tuple(sub, sub).map(([x86, arm]) => [
        { architecture: 'SCMP_ARCH_X86_64', subArchitectures: x86 },
        { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: arm },
      ]),
      syscalls: fc.array(group, { maxLength: 12 }),
    },
    { requiredKeys: ['defaultAction', 'syscalls'] },
  );

  /** Says what a profile means for a call, by looking through its groups. */
  function meaning(profile: GivenProfile, architecture: string, audit: number, number: number): number {
    const fallback = valueOf(profile.defaultAction, profile.defaultErrnoRet);
    const [native] = tables(architecture);
    const subs = (profile.archMap ?? [])
      .filter((each) => each.architecture === native?.name)
      .flatMap((each) => each.subArchitectures);
    const open = tables(architecture).filter((each) => each === native || subs.includes(each.name));
    const speaking = open.filter((each) => each.audit === audit);
    if (speaking.length === 0) return KILL;
    const isX32 = audit === audits.x86_64 && number >= 0x4000_0000 && number !== 0xffff_ffff;
    if (isX32 && !subs.includes('SCMP_ARCH_X32')) return KILL;
    const called = speaking.flatMap((each) => nameOf.get(each)?.get(number) ?? []);
    for (const { action, errnoRet, names: named } of profile.syscalls) {
      const isNamed = called.some((name) => named.includes(name));
      if (isNamed && valueOf(action, errnoRet) !== fallback) return valueOf(action, errnoRet);
    }
    return fallback;
  }

  it('is decided by its program, for every call of every architecture', () => {
    fc.assert(
      fc.property(
        profiles,
        fc.constantFrom(...architectures),
        fc.array(fc.nat(0xffff_ffff)),
        (profile, architecture, more) => {
          const { program } = compiled(profile, { architecture });
          const used = tables(architecture).flatMap(({ numbers }) => [...numbers.values()]);
          const edges = used.flatMap((number) => [number, number + 1]);
          const multiplexed = new Set(
            ['socketcall', 'ipc'].map((name) => tables('amd64')[1]?.numbers.get(name)),
          );
          for (const audit of Object.values(audits))
            for (const number of new Set([...edges, 0x4000_0000, 0xffff_fffe, 0xffff_ffff, ...more])) {
              // These stand for many calls, and are tested below.
              if (audit === audits.i386 && multiplexed.has(number)) continue;
              const found = runFilter(program, { audit, number });
              if (found !== meaning(profile, architecture, audit, number))
                throw new Error(
                  `${architecture}, ${audit.toString(16)}, call ${number}: ${found.toString(16)}`,
                );
            }
        },
      ),
      { seed, numRuns: runs(40, 400) },
    );
  });

  it('has a program that the kernel takes, also where each call has an error of its own', () => {
    const every = names.map(
      (name, i): GivenGroup => ({ names: [name], action: 'SCMP_ACT_ERRNO', errnoRet: 2 + i }),
    );
    const archMap = [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    ];
    const { program } = compiled({ ...strict(...every), archMap });
    expect(program.length / 8).toBeGreaterThan(2000);
    expect(program.length / 8).toBeLessThanOrEqual(4096);
    const [, i386] = tables('amd64');
    const i = names.indexOf('mmap2');
    expect(runFilter(program, { audit: audits.i386, number: i386?.numbers.get('mmap2') ?? -1 })).toBe(
      errno(2 + i),
    );
  });
});

describe('a filter', () => {
  it('allows what the profile names, and answers all else as the profile says', () => {
    const profile: GivenProfile = { ...strict(allow('read')), defaultErrnoRet: 38 };
    expect([verdict(profile, 'read'), verdict(profile, 'write')]).toEqual([ALLOW, errno(38)]);
    expect(verdict(strict({ names: ['read'], action: 'SCMP_ACT_LOG' }), 'read')).toBe(0x7ffc_0000);
  });

  it('is the one of the first group that has a name and another action than the default', () => {
    const refuse: GivenGroup = { names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 };
    expect(verdict(strict(refuse, allow('read')), 'read')).toBe(ALLOW);
    expect(verdict(strict({ ...refuse, errnoRet: 5 }, allow('read')), 'read')).toBe(errno(5));
    expect(verdict(strict(allow('read'), { ...refuse, errnoRet: 5 }), 'read')).toBe(ALLOW);
  });

  it('allows calls whose arguments the profile restricts, and says which', () => {
    const args = [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }];
    const profile = strict({ ...allow('socket'), args }, { names: ['read'], action: 'SCMP_ACT_KILL', args });
    expect([verdict(profile, 'socket'), verdict(profile, 'read')]).toEqual([ALLOW, errno(1)]);
    expect(compiled(profile).conditional).toEqual(['read', 'socket']);
  });

  it.each<[string, Partial<GivenGroup>, boolean]>([
    ['includes all capabilities', { includes: { caps: ['CAP_CHOWN'] } }, true],
    ['includes one that is not there', { includes: { caps: ['CAP_CHOWN', 'CAP_SYS_ADMIN'] } }, false],
    ['excludes one that is not there', { excludes: { caps: ['CAP_SYS_ADMIN'] } }, true],
    ['excludes one of them', { excludes: { caps: ['CAP_SYS_ADMIN', 'CAP_CHOWN'] } }, false],
    ['includes the architecture', { includes: { arches: ['arm64', 'amd64'] } }, true],
    ['includes another architecture', { includes: { arches: ['arm64'] } }, false],
    ['excludes the architecture', { excludes: { arches: ['amd64'] } }, false],
    ['includes older kernels', { includes: { minKernel: '4.8' } }, true],
    ['includes this kernel', { includes: { minKernel: '6.1' } }, true],
    ['includes newer kernels', { includes: { minKernel: '6.10' } }, false],
    ['excludes this kernel', { excludes: { minKernel: '5' } }, false],
    ['excludes newer kernels', { excludes: { minKernel: '7.0' } }, true],
    ['has empty lists', { includes: { caps: [], arches: [] }, excludes: { caps: [], arches: [] } }, true],
  ])('with a group that %s', (_, parts, isAllowed) => {
    expect(verdict(strict({ ...allow('read'), ...parts }), 'read')).toBe(isAllowed ? ALLOW : errno(1));
  });

  it('lets 32-bit programs reach what they call by one call for many', () => {
    const archMap = [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }];
    const verdictOf = (name: string, ...names: string[]) => {
      const number = tables('amd64')[1]?.numbers.get(name) ?? -1;
      return runFilter(compiled({ ...strict(allow(...names)), archMap }).program, {
        audit: audits.i386,
        number,
      });
    };
    expect([verdictOf('socketcall', 'connect'), verdictOf('ipc', 'connect')]).toEqual([ALLOW, errno(1)]);
    expect([verdictOf('socketcall', 'shmat'), verdictOf('ipc', 'shmat')]).toEqual([errno(1), ALLOW]);
    expect(verdictOf('ipc', 'ipc')).toBe(ALLOW);
  });

  it('returns the names that no table has, and the architectures without one', () => {
    const filter = compiled(
      {
        ...strict(allow('read', 'arm_fadvise64_64', 'zz_of_tomorrow', 'chown32', 'of_next_year')),
        archMap: [{ architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] }],
      },
      { architecture: 'arm64' },
    );
    expect(filter).toMatchObject({
      unknown: ['of_next_year', 'zz_of_tomorrow'],
      narrow: ['SCMP_ARCH_ARM'],
      calls: 1,
    });
  });

  it('is not there for an architecture without a table', () => {
    expect(compileSeccomp(strict(allow('read')), { ...target, architecture: 's390x' })).toBeNull();
  });

  it('of a profile from a trace allows the calls of the trace and no others', () => {
    const trace = readFixture('strace/f-all.txt');
    const profile = seccompProfile(trace);
    for (const name of trace.syscalls.keys()) expect([name, verdict(profile, name)]).toEqual([name, ALLOW]);
    for (const name of ['mkdir', 'ptrace', 'bpf'])
      expect([name, verdict(profile, name)]).toEqual([name, errno(1)]);
    expect(compiled(profile).unknown).toEqual([]);
  });
});

describe('a profile for a trial', () => {
  it('allows the helpers of the sandbox, whatever the profile says of them', () => {
    const profile = profileForTrial(strict({ names: ['wait4'], action: 'SCMP_ACT_KILL' }));
    expect([verdict(profile, 'wait4'), verdict(profile, 'setresuid')]).toEqual([ALLOW, ALLOW]);
    expect([verdict(profile, 'mkdir'), verdict(profile, 'socket')]).toEqual([errno(1), errno(1)]);
  });

  it('does not kill helpers that ask a name service', () => {
    const profile: GivenProfile = { defaultAction: 'SCMP_ACT_KILL', syscalls: [] };
    expect([verdict(profileForTrial(profile), 'socket'), verdict(profileForTrial(profile), 'mkdir')]).toEqual(
      [errno(1), KILL],
    );
    const listed: GivenProfile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'connect'], action: 'SCMP_ACT_KILL_PROCESS' }],
    };
    expect([verdict(profileForTrial(listed), 'connect'), verdict(profileForTrial(listed), 'mkdir')]).toEqual([
      errno(1),
      0x8000_0000,
    ]);
    expect(verdict(profileForTrial(strict(allow('socket'))), 'socket')).toBe(ALLOW);
  });

  it('names only calls that there are', () => {
    const groups = profileForTrial(strict()).syscalls;
    expect(groups.flatMap(({ names }) => names).filter((name) => !isKnownCall(name))).toEqual([]);
  });
});

/** The headers of the kernel, where this machine has them: the interface, and a pattern for the numbers. */
const headers = [
  [0, 'unistd_64.h', 'x86_64-linux-gnu'],
  [1, 'unistd_32.h', 'x86_64-linux-gnu'],
  [2, 'unistd_x32.h', 'x86_64-linux-gnu'],
] as const;
const found = headers
  .map(([i, name, triple]) => [i, `/usr/include/${triple}/asm/${name}`] as const)
  .filter(([, file]) => existsSync(file));

describe('numbers', () => {
  it('belong to one name each, and there are as many as the kernel has', () => {
    for (const architecture of architectures)
      for (const { numbers } of tables(architecture)) {
        expect(new Set(numbers.values()).size).toBe(numbers.size);
        expect(numbers.size).toBeGreaterThan(300);
      }
    const of = (architecture: string, i: number, name: string) => tables(architecture)[i]?.numbers.get(name);
    expect([of('amd64', 0, 'execve'), of('amd64', 1, 'execve'), of('amd64', 2, 'execve')]).toEqual([
      59, 11, 0x4000_0208,
    ]);
    expect([
      of('arm64', 0, 'openat'),
      of('riscv64', 0, 'riscv_flush_icache'),
      of('arm64', 0, 'renameat'),
    ]).toEqual([56, 259, 38]);
    expect([of('riscv64', 0, 'renameat'), of('amd64', 0, 'mseal'), of('arm64', 0, 'mseal')]).toEqual([
      undefined,
      462,
      462,
    ]);
  });

  if (found.length > 0)
    it('are those of the headers of this machine', () => {
      for (const [i, file] of found) {
        const text = readFileSync(file, 'utf8');
        const rows = [...text.matchAll(/^#define __NR_(\w+)\s+(?:\((__X32_SYSCALL_BIT) \+ )?(\d+)\)?$/gm)];
        expect(rows.length).toBeGreaterThan(300);
        const numbers = tables('amd64')[i]?.numbers;
        const wrong = rows
          .map(
            ([, name = '', bit, number]) =>
              [name, Number(number) + (bit === undefined ? 0 : 0x4000_0000)] as const,
          )
          .filter(([name, number]) => numbers?.get(name) !== number);
        expect([file, wrong]).toEqual([file, []]);
      }
    });
});
