/**
 * The system calls that concern files, and how their arguments say so (manual pages, section 2). The readers of strace,
 * sysdig and tracee look calls up here.
 */
import { type Uses, uses } from '../trace.ts';

/** One name among the arguments of a call. Arguments are given by number, from 0. */
export interface Target {
  readonly path: number;
  /** The descriptor of the directory that the name is relative to. Null: the working directory. */
  readonly directory: number | null;
  /** The flags that may hold AT_SYMLINK_NOFOLLOW. Null: the call has none. */
  readonly flags: number | null;
  /** How the call uses the name, without what flags add. */
  readonly uses: Uses;
}

/** What a call does that matters here. Arguments are given by number, from 0. */
export type Call =
  /** The call uses names, and changes nothing about its process. */
  | { readonly kind: 'use'; readonly targets: readonly Target[]; readonly change: NameEffect | null }
  /** The call opens what a handle stands for, which only -y shows. */
  | { readonly kind: 'openHandle' }
  /** The call names a socket of the file system in an address. */
  | { readonly kind: 'socket'; readonly address: number; readonly uses: Uses }
  | { readonly kind: 'open'; readonly target: Target; readonly flags: number | null }
  | { readonly kind: 'exec'; readonly target: Target; readonly argv: number }
  | { readonly kind: 'chdir' | 'chroot'; readonly target: Target }
  | { readonly kind: 'list'; readonly fd: number }
  | {
      readonly kind:
        | 'fchdir'
        | 'pivot'
        | 'fork'
        | 'unshare'
        | 'setns'
        | 'dup'
        | 'fcntl'
        | 'close'
        | 'getcwd'
        | 'ring';
    };

/**
 * How a call that succeeded changes names. `move`: the second target is what the first was. `exchange`: so is the first what the second
 * was. `symlink`: the only target leads to the text of argument `text`. `mount`: the only target is what argument 0 names. `create`: the
 * only target is new, and no other name is what it is.
 */
export type NameEffect =
  | { readonly kind: 'move'; readonly flags: number | null }
  | { readonly kind: 'symlink'; readonly text: number }
  | { readonly kind: 'mount' }
  | { readonly kind: 'create' };

const looked = uses.stat;
const atLink = uses.link;
const talkedTo = uses.stat | uses.connect;
const changed = uses.write;
const changedLink = uses.write | uses.link;

/** Describes a name that counts from the working directory. `path`: the index of the argument. */
function here(path: number, how: Uses): Target {
  return { path, directory: null, flags: null, uses: how };
}

/** Describes a name that follows the descriptor of its directory, as in all calls that end in -at. */
function at(directory: number, how: Uses, flags: number | null = null): Target {
  return { path: directory + 1, directory, flags, uses: how };
}

function use(...targets: readonly Target[]): Call {
  return { kind: 'use', targets, change: null };
}

/** Describes a call that gives the first target the name of the second. `flags`: the argument that may say that both change. */
function move(from: Target, to: Target, flags: number | null = null): Call {
  return { kind: 'use', targets: [from, to], change: { kind: 'move', flags } };
}

function symlink(link: Target): Call {
  return { kind: 'use', targets: [link], change: { kind: 'symlink', text: 0 } };
}

function create(made: Target): Call {
  return { kind: 'use', targets: [made], change: { kind: 'create' } };
}

/** The calls that concern files, by name. All other calls are counted, and their arguments are not read. */
export const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['open', { kind: 'open', target: here(0, 0), flags: 1 }],
  ['openat', { kind: 'open', target: at(0, 0), flags: 2 }],
  ['openat2', { kind: 'open', target: at(0, 0), flags: 2 }],
  ['creat', { kind: 'open', target: here(0, changed), flags: null }],
  ['open_by_handle_at', { kind: 'openHandle' }],
  ['uselib', use(here(0, uses.open))],
  ['execve', { kind: 'exec', target: here(0, uses.exec), argv: 1 }],
  ['execveat', { kind: 'exec', target: at(0, uses.exec, 4), argv: 2 }],

  ...['stat', 'stat64', 'oldstat', 'access', 'statfs', 'statfs64', 'getxattr', 'listxattr'].map(
    (name) => [name, use(here(0, looked))] as const,
  ),
  ...['lstat', 'lstat64', 'oldlstat', 'readlink', 'lgetxattr', 'llistxattr'].map(
    (name) => [name, use(here(0, atLink))] as const,
  ),
  ['newfstatat', use(at(0, looked, 3))],
  ['fstatat64', use(at(0, looked, 3))],
  ['statx', use(at(0, looked, 2))],
  ['faccessat', use(at(0, looked))],
  ['faccessat2', use(at(0, looked, 3))],
  ['readlinkat', use(at(0, atLink))],
  ['name_to_handle_at', use(at(0, looked, 4))],
  ['getxattrat', use(at(0, looked, 2))],
  ['listxattrat', use(at(0, looked, 2))],
  ['file_getattr', use(at(0, looked, 4))],
  ['inotify_add_watch', use(here(1, looked))],
  ['fanotify_mark', use(at(3, looked))],
  ['mount', { kind: 'use', targets: [here(1, looked)], change: { kind: 'mount' } }],
  ['move_mount', move(at(0, looked), at(2, looked))],
  ['open_tree', { kind: 'open', target: at(0, looked), flags: null }],
  ['open_tree_attr', { kind: 'open', target: at(0, looked), flags: null }],
  ['fspick', use(at(0, looked))],
  ['mount_setattr', use(at(0, looked, 2))],
  ['umount', use(here(0, looked))],
  ['umount2', use(here(0, looked))],
  ['acct', use(here(0, changed))],
  ['swapon', use(here(0, looked))],
  ['swapoff', use(here(0, looked))],
  ['quotactl', use(here(1, looked))],

  ['mkdir', create(here(0, changed))],
  ['mknod', create(here(0, changed))],
  ...[
    'chmod',
    'chown',
    'chown32',
    'utime',
    'utimes',
    'truncate',
    'truncate64',
    'setxattr',
    'removexattr',
  ].map((name) => [name, use(here(0, changed))] as const),
  ...['unlink', 'rmdir', 'lchown', 'lchown32', 'lsetxattr', 'lremovexattr'].map(
    (name) => [name, use(here(0, changedLink))] as const,
  ),
  ['mkdirat', create(at(0, changed))],
  ['mknodat', create(at(0, changed))],
  ['fchmodat', use(at(0, changed, 3))],
  ['fchmodat2', use(at(0, changed, 3))],
  ['fchownat', use(at(0, changed, 4))],
  ['futimesat', use(at(0, changed))],
  ['utimensat', use(at(0, changed, 3))],
  ['utimensat_time64', use(at(0, changed, 3))],
  ['setxattrat', use(at(0, changed, 2))],
  ['removexattrat', use(at(0, changed, 2))],
  ['file_setattr', use(at(0, changed, 4))],
  ['unlinkat', use(at(0, changedLink))],
  ['rename', move(here(0, changedLink), here(1, changedLink))],
  ['renameat', move(at(0, changedLink), at(2, changedLink))],
  ['renameat2', move(at(0, changedLink), at(2, changedLink), 4)],
  ['link', move(here(0, atLink), here(1, changedLink))],
  ['linkat', move(at(0, atLink), at(2, changedLink))],
  ['symlink', symlink(here(1, changedLink))],
  ['symlinkat', symlink(at(1, changedLink))],
  ['bind', { kind: 'socket', address: 1, uses: changedLink }],
  ['connect', { kind: 'socket', address: 1, uses: talkedTo }],
  ['sendto', { kind: 'socket', address: 4, uses: talkedTo }],
  ['sendmsg', { kind: 'socket', address: 1, uses: talkedTo }],

  ['chdir', { kind: 'chdir', target: here(0, looked) }],
  ['chroot', { kind: 'chroot', target: here(0, looked) }],
  ['fchdir', { kind: 'fchdir' }],
  ['getcwd', { kind: 'getcwd' }],
  ['io_uring_setup', { kind: 'ring' }],
  ['pivot_root', { kind: 'pivot' }],
  ['unshare', { kind: 'unshare' }],
  ['setns', { kind: 'setns' }],
  ['getdents', { kind: 'list', fd: 0 }],
  ['getdents64', { kind: 'list', fd: 0 }],
  ...['clone', 'clone2', 'clone3', 'fork', 'vfork'].map((name) => [name, { kind: 'fork' }] as const),
  ...['dup', 'dup2', 'dup3'].map((name) => [name, { kind: 'dup' }] as const),
  ...['fcntl', 'fcntl64'].map((name) => [name, { kind: 'fcntl' }] as const),
  ['close', { kind: 'close' }],
]);

/**
 * Calls that every dynamically linked program makes when it starts. No class of strace (%file, %process, %desc, %memory, …)
 * contains those of the last line. A trace with some calls of each line was recorded without a filter, from the start.
 */
const telling = [
  ['mmap', 'mmap2', 'brk', 'mprotect', 'munmap'],
  ['close', 'read', 'write', 'fstat', 'writev', 'fcntl'],
  ['rt_sigaction', 'rt_sigprocmask', 'rt_sigreturn', 'execve'],
  ['arch_prctl', 'set_tid_address', 'set_robust_list', 'rseq', 'getrandom', 'prlimit64', 'futex'],
] as const;

/** Returns whether a trace holds every system call, as far as the names that occur in it can tell. */
export function looksComplete(names: ReadonlyMap<string, number>): boolean {
  return telling.every(
    (line, i) => line.filter((name) => names.has(name)).length >= (i === telling.length - 1 ? 2 : 1),
  );
}

/** Flags of open(2) with their bits on x86 (include/uapi/asm-generic/fcntl.h). */
const openFlags = {
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_TRUNC: 0o1000,
  O_NOFOLLOW: 0o400000,
  O_DIRECTORY: 0o200000,
  O_PATH: 0o10000000,
  O_TMPFILE: 0o20000000,
} as const;

/** Returns whether a flag of open(2) is set: in names, `{flags=…}` of openat2, or a number (-X raw, x86). */
export function hasOpenFlag(flags: string, name: keyof typeof openFlags): boolean {
  return /^0x[0-9a-f]+$|^[0-9]+$/.test(flags)
    ? (Number(flags) & openFlags[name]) !== 0
    : flags.includes(name);
}

/** Returns how a file is used that was opened with these flags, as `hasOpenFlag` reads them. */
export function usesOfOpen(flags: string): Uses {
  const has = (name: keyof typeof openFlags): boolean => hasOpenFlag(flags, name);
  if (has('O_PATH')) return has('O_NOFOLLOW') ? uses.link : uses.stat;
  if (has('O_TMPFILE')) return uses.write;
  const writes = has('O_WRONLY') || has('O_RDWR') || has('O_CREAT') || has('O_TRUNC');
  if (has('O_WRONLY')) return uses.write;
  if (has('O_DIRECTORY')) return uses.list;
  return writes ? uses.open | uses.write : uses.open;
}
