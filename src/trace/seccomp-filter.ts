/**
 * Makes a filter of system calls of a profile: a program in classic BPF, as seccomp(2) and the option `--seccomp` of bubblewrap take it. The
 * sandbox of an image runs the program of the image under it.
 */
import { type CallInterface, interfacesOf, isKnownCall, x32Bit } from './seccomp-numbers.ts';
import { assemble, type Interval, type Section } from './seccomp-program.ts';
import type { Conditions, GivenGroup, GivenProfile, SeccompAction } from './seccomp-profile.ts';

/** Where a program runs: what the groups of a profile depend on. */
export interface FilterTarget {
  /** The architecture of the kernel, as images name it. */
  readonly architecture: string;
  /** The release of the kernel: "6.1.0-13-amd64". */
  readonly kernel: string;
  /** The capabilities that the container has in production: CAP_…. */
  readonly capabilities: readonly string[];
}

/** A filter, with what it does not say as the profile does. */
export interface SeccompFilter {
  /** The program: `struct sock_filter[]` (linux/filter.h), little endian, of at most 4096 instructions. */
  readonly program: Uint8Array;
  /** The number of calls that 64-bit programs may make. */
  readonly calls: number;
  /** Names that no table has, sorted. Their calls get the default action. */
  readonly unknown: readonly string[];
  /** Names whose arguments the profile restricts, sorted. Such a call is allowed with any, and a refusal of some arguments is left out. */
  readonly conditional: readonly string[];
  /** The narrower architectures that the profile allows, and that have no table here. Calls of their programs kill the thread, as those of other architectures do. */
  readonly narrow: readonly string[];
}

/** The values by which a filter tells the kernel what to do: SECCOMP_RET_… (linux/seccomp.h). */
const results: Readonly<Record<Exclude<SeccompAction, 'SCMP_ACT_ERRNO'>, number>> = {
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL: 0,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
};
const errnoResult = 0x0005_0000;

/** EPERM: the operation is not permitted. */
const eperm = 1;

/** The number of calls that a tracer has cancelled: -1. It belongs to x86-64, not to x32. */
const cancelled = 0xffff_ffff;

/**
 * Returns the filter of a profile; null for an architecture without a table. It decides as libseccomp does: calls of architectures that the
 * profile does not allow kill the thread, those that it does not name get the default action, and the first group counts that has a
 * name and another action than the default.
 */
export function compileSeccomp(profile: GivenProfile, target: FilterTarget): SeccompFilter | null {
  const interfaces = interfacesOf(target.architecture);
  if (interfaces === null) return null;
  const [native, ...narrow] = interfaces;
  const wanted = narrowOf(profile, native.name);
  const groups = profile.syscalls.filter((group) => counts(group, target));
  const decisions = decide(profile, groups);
  const fallback = defaultOf(profile);
  const allowed = [native, ...narrow.filter(({ name }) => wanted.has(name))];
  const numbersOf = (each: CallInterface) => numbered(each, decisions, fallback);
  const hasX32 = allowed.some(({ name }) => name === 'SCMP_ARCH_X32');
  const sections = new Map<number, Map<number, number>>();
  for (const each of allowed)
    sections.set(each.audit, new Map([...(sections.get(each.audit) ?? []), ...numbersOf(each)]));
  const own = numbersOf(native);
  const calls = [...native.numbers.values()].filter(
    (number) => (own.get(number) ?? fallback) === results.SCMP_ACT_ALLOW,
  );
  const names = new Set(groups.flatMap((group) => group.names));
  return {
    program: assemble(
      [...sections].map(([audit, numbers]): Section => {
        const isClosed = audit === native.audit && target.architecture === 'amd64' && !hasX32;
        return { audit, intervals: intervalsOf(numbers, fallback, isClosed) };
      }),
      results.SCMP_ACT_KILL,
    ),
    calls: calls.length,
    unknown: [...names].filter((name) => !isKnownCall(name)).sort(),
    conditional: [
      ...new Set(groups.filter(({ args }) => args !== undefined).flatMap((group) => group.names)),
    ].sort(),
    narrow: [...wanted].filter((name) => narrow.every((each) => each.name !== name)).sort(),
  };
}

/** Returns the names of the narrower architectures that a profile allows on this one. */
function narrowOf({ archMap = [] }: GivenProfile, native: string): ReadonlySet<string> {
  const entries = archMap.filter(({ architecture }) => architecture === native);
  const names = new Set(entries.flatMap(({ subArchitectures }) => subArchitectures));
  names.delete(native);
  return names;
}

/** Returns whether a group counts here, as Docker decides it (moby, profiles/seccomp). */
function counts({ includes = {}, excludes = {} }: GivenGroup, target: FilterTarget): boolean {
  const has = new Set(target.capabilities);
  const isNew = ({ minKernel }: Conditions) => minKernel !== undefined && isAtLeast(target.kernel, minKernel);
  if (excludes.arches?.includes(target.architecture) === true || isNew(excludes)) return false;
  if (excludes.caps?.some((name) => has.has(name)) === true) return false;
  if (includes.arches !== undefined && includes.arches.length > 0)
    if (!includes.arches.includes(target.architecture)) return false;
  if (includes.minKernel !== undefined && !isNew(includes)) return false;
  return includes.caps?.every((name) => has.has(name)) !== false;
}

/** Returns whether a release of the kernel is of a version ("4.8") or later. */
function isAtLeast(release: string, version: string): boolean {
  const numbers = (text: string) => text.split(/[.-]/, 2).map((part) => Number.parseInt(part, 10) || 0);
  const [major = 0, minor = 0] = numbers(release);
  const [wantedMajor = 0, wantedMinor = 0] = numbers(version);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function resultOf(action: SeccompAction, errno = eperm): number {
  return action === 'SCMP_ACT_ERRNO' ? errnoResult + errno : results[action];
}

function defaultOf({ defaultAction, defaultErrnoRet }: GivenProfile): number {
  return resultOf(defaultAction, defaultErrnoRet);
}

/** Returns the results of calls by their names. Those with the default result are left out. */
function decide(profile: GivenProfile, groups: readonly GivenGroup[]): ReadonlyMap<string, number> {
  const fallback = defaultOf(profile);
  const decisions = new Map<string, number>();
  for (const { names, action, errnoRet, args } of groups) {
    const result = resultOf(action, errnoRet);
    // What is refused with some arguments only stays as it is: the filter does not look at them.
    if (result === fallback || (args !== undefined && action !== 'SCMP_ACT_ALLOW')) continue;
    for (const name of names) if (!decisions.has(name)) decisions.set(name, result);
  }
  return decisions;
}

/** The calls of 32-bit x86 that stand for many others, whose number is an argument (linux/net.h, linux/ipc.h). */
const multiplexers: readonly (readonly [name: string, calls: string])[] = [
  [
    'socketcall',
    'socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg',
  ],
  ['ipc', 'semop semget semctl semtimedop msgsnd msgrcv msgget msgctl shmat shmdt shmget shmctl'],
];

/** Returns the results of calls by their numbers. */
function numbered(
  { name, numbers }: CallInterface,
  decisions: ReadonlyMap<string, number>,
  fallback: number,
): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const [call, number] of numbers) {
    const result = decisions.get(call);
    if (result !== undefined) found.set(number, result);
  }
  if (name === 'SCMP_ARCH_X86')
    for (const [multiplexer, calls] of multiplexers) {
      const isUsed = calls
        .split(' ')
        .some((call) => (decisions.get(call) ?? fallback) === results.SCMP_ACT_ALLOW);
      const number = numbers.get(multiplexer);
      if (isUsed && number !== undefined) found.set(number, results.SCMP_ACT_ALLOW);
    }
  return found;
}

/** Returns what is decided about every number, in order and without gaps. `isClosed`: the numbers of x32 kill. */
function intervalsOf(
  numbers: ReadonlyMap<number, number>,
  fallback: number,
  isClosed: boolean,
): readonly Interval[] {
  const bounds = new Map<number, number>([[0, fallback]]);
  for (const [number, result] of [...numbers].sort(([a], [b]) => a - b)) {
    bounds.set(number, result);
    bounds.set(number + 1, fallback);
  }
  if (isClosed) {
    bounds.set(x32Bit, results.SCMP_ACT_KILL);
    bounds.set(cancelled, fallback);
  }
  const all = [...bounds].sort(([a], [b]) => a - b);
  return all
    .map(([start, result]): Interval => ({ start, result }))
    .filter(({ result }, i) => i === 0 || all[i - 1]?.[1] !== result);
}

/**
 * What runs under the filter in the sandbox beside the program. bubblewrap sets the filter in the first process of the sandbox, which waits for the
 * program, and in the one that becomes the program; there setpriv(1) becomes its user, started by the loader of the C library.
 * Measured with strace on Debian 12: bubblewrap 0.8 (bubblewrap.c, do_init), setpriv of util-linux 2.38 with libcap-ng 0.8 and
 * glibc 2.36. The last line is what other versions of them and musl call.
 */
const ofHelpers = `
  execve exit_group wait4 write
  access arch_prctl brk capget capset close fstatfs futex getrandom getresgid getresuid gettid lseek mmap mprotect
  munmap newfstatat openat prctl pread64 prlimit64 read rseq rt_sigprocmask set_robust_list set_tid_address setgroups
  setresgid setresuid
  exit faccessat faccessat2 fcntl fstat getegid geteuid getgid getpid getuid open readlink readlinkat rt_sigaction stat
`;

/** What setpriv tries, and goes on without: the C library asks a name service (nscd) about the user. */
const lookups: readonly string[] = ['socket', 'connect'];

/**
 * Returns a profile that also allows what the helpers in the sandbox call, so that the profile of a program that calls less can be tried there. The
 * calls without which they do fail with EPERM where the profile would kill: a program that makes them fails, too.
 */
export function profileForTrial(profile: GivenProfile): GivenProfile {
  const names = ofHelpers.split(/\s+/).filter((name) => name !== '');
  const refused = { names: lookups, action: 'SCMP_ACT_ERRNO', errnoRet: eperm } as const;
  const groups = profile.syscalls.flatMap((group): readonly GivenGroup[] => {
    const found = group.names.filter((name) => lookups.includes(name));
    if (!kills(group.action) || found.length === 0) return [group];
    const rest = group.names.filter((name) => !found.includes(name));
    return [
      { ...group, names: rest },
      { ...group, ...refused, names: found },
    ];
  });
  return {
    ...profile,
    syscalls: [
      { names, action: 'SCMP_ACT_ALLOW' },
      ...groups,
      ...(kills(profile.defaultAction) ? [refused] : []),
    ],
  };
}

/** Returns whether an action ends a program that is not prepared for it. */
function kills(action: SeccompAction): boolean {
  return action.startsWith('SCMP_ACT_KILL') || action === 'SCMP_ACT_TRAP';
}
