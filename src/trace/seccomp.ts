/**
 * Makes seccomp profiles from the system calls of a trace, in Docker's format (docs.docker.com/engine/security/seccomp). The
 * command `trace seccomp` calls it.
 */
import { OcislimError } from '../errors.ts';
import type { Trace } from './trace.ts';

/** A seccomp profile in Docker's format, which podman and containerd read too. */
export interface SeccompProfile {
  readonly defaultAction: 'SCMP_ACT_ERRNO';
  /** The number of EPERM. */
  readonly defaultErrnoRet: 1;
  readonly archMap: readonly {
    readonly architecture: string;
    readonly subArchitectures: readonly string[];
  }[];
  readonly syscalls: readonly SyscallGroup[];
}

interface SyscallGroup {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  /** The error that refused calls return. Default: that of the profile. */
  readonly errnoRet?: number;
  /** For people; runtimes ignore it. */
  readonly comment: string;
}

/**
 * The calls that runc and crun make after they have loaded a profile and before the program runs. Where no-new-privileges is
 * not set, they load it early. runc then still closes or marks descriptors, drops capabilities, changes user and groups, owns
 * stdio, changes directory, looks for the program, and writes to its fifo (standard_init_linux.go, finalizeNamespace); crun
 * sets groups, capabilities and user (container_init_setup). The last two lines are what Go's scheduler may call at any time.
 */
const ofRuntime = (
  'capget capset chdir close close_range execve exit exit_group faccessat faccessat2 fchown fcntl fstat fstatfs getcwd ' +
  'getdents64 getgid getpid getppid gettid getuid lseek newfstatat openat openat2 prctl read readlinkat setgid setgroups ' +
  'setresgid setresuid setuid statfs statx write ' +
  'brk clone epoll_ctl epoll_pwait futex madvise mmap mprotect munmap nanosleep rt_sigaction rt_sigprocmask rt_sigreturn ' +
  'sched_yield sigaltstack tgkill'
)
  .split(' ')
  .sort();

/**
 * Calls that a trace may not show. Functions of the vDSO become system calls on machines whose clock user space cannot read
 * (vdso(7)); restart_syscall(2) follows a signal only.
 */
const unseen = ['clock_getres', 'clock_gettime', 'getcpu', 'gettimeofday', 'restart_syscall', 'time'];

/** The names of calls that only 32-bit programs on x86 and ARM make. */
const narrow =
  /^(?:_llseek|_newselect|mmap2|sigreturn|socketcall|ugetrlimit|waitpid|[fl]?stat64|fstatat64|fcntl64|\w+32|\w+_time64)$/;

/** Names of libseccomp by the architecture of images: that of 64-bit programs, and those of others that it runs. */
const architectures: Readonly<
  Record<string, { readonly native: string; readonly narrow: readonly string[] }>
> = {
  amd64: { native: 'SCMP_ARCH_X86_64', narrow: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
  arm64: { native: 'SCMP_ARCH_AARCH64', narrow: ['SCMP_ARCH_ARM'] },
  '386': { native: 'SCMP_ARCH_X86', narrow: [] },
  arm: { native: 'SCMP_ARCH_ARM', narrow: [] },
  ppc64le: { native: 'SCMP_ARCH_PPC64LE', narrow: [] },
  s390x: { native: 'SCMP_ARCH_S390X', narrow: ['SCMP_ARCH_S390'] },
  riscv64: { native: 'SCMP_ARCH_RISCV64', narrow: [] },
  loong64: { native: 'SCMP_ARCH_LOONGARCH64', narrow: [] },
  mips64le: { native: 'SCMP_ARCH_MIPSEL64', narrow: [] },
};

/** The architectures of a profile without a platform. Docker applies the one of the machine. */
const usual = ['amd64', 'arm64', 's390x', 'riscv64'];

/** ENOSYS: the call is not implemented. */
const enosys = 38;

/**
 * Returns a profile that allows the calls of a trace, those of the container runtime, and those that a trace may not show. All
 * others fail with EPERM. Calls without a name (`syscall_0x1cf`: strace is older than the kernel) are left out: see
 * `namelessCalls`.
 *
 * @throws TRACE_INVALID for a trace that does not hold every system call
 */
export function seccompProfile(trace: Trace): SeccompProfile {
  if (!trace.hasAllSyscalls)
    throw new OcislimError(
      'TRACE_INVALID',
      trace.syscalls.size === 0
        ? `${trace.name} holds no system calls`
        : `${trace.name} does not hold every system call: a profile of those in it would stop the program`,
      {
        advice:
          'Record one with all of them: "ocislim trace record --all-syscalls", or "strace -f -o app.strace COMMAND" without -e.',
      },
    );
  const seen = new Set([...trace.syscalls.keys()].filter(isName));
  const allowed = new Set(seen);
  const group = (names: readonly string[], comment: string): SyscallGroup[] => {
    const added = names.filter((name) => !allowed.has(name));
    for (const name of added) allowed.add(name);
    return added.length === 0 ? [] : [{ names: added, action: 'SCMP_ACT_ALLOW', comment }];
  };

  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    archMap: architectureMap(trace.platform, seen),
    syscalls: [
      { names: [...seen].sort(), action: 'SCMP_ACT_ALLOW', comment: 'Calls of the program, from the trace.' },
      ...group(
        ofRuntime,
        'Calls of the container runtime (runc, crun) between loading this profile and starting the program.',
      ),
      ...group(
        unseen,
        'Calls that a trace may not show: the vDSO answers most of them, but not on every machine.',
      ),
      ...(seen.has('clone3')
        ? []
        : [
            {
              names: ['clone3'],
              action: 'SCMP_ACT_ERRNO',
              errnoRet: enosys,
              comment: 'The C library tries clone instead where this is not implemented (ENOSYS).',
            } as const,
          ]),
    ],
  };
}

/** Returns the system calls that the tracer had no name for, sorted. */
export function namelessCalls(trace: Trace): readonly string[] {
  return [...trace.syscalls.keys()].filter((name) => !isName(name)).sort();
}

function isName(name: string): boolean {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !/^syscall_(?:0x)?[0-9a-f]+$/.test(name);
}

function architectureMap(platform: string | null, seen: ReadonlySet<string>): SeccompProfile['archMap'] {
  const isNarrow = [...seen].some((name) => narrow.test(name));
  // arch_prctl exists on x86-64 only.
  const own = platform?.split('/')[1];
  const names = own === undefined ? (seen.has('arch_prctl') ? ['amd64'] : usual) : [own];
  return names.flatMap((name) => {
    const known = Object.hasOwn(architectures, name) ? architectures[name] : undefined;
    return known === undefined
      ? []
      : [{ architecture: known.native, subArchitectures: isNarrow ? known.narrow : [] }];
  });
}
