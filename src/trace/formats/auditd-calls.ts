/**
 * The calls of the audit log by the numbers that it has in place of names: those of the two architectures that most logs come from, and
 * the operations of io_uring. `auditd.ts` looks up every event here.
 */
import { type Call, calls } from './strace-calls.ts';

/** Platforms by AUDIT_ARCH_* (include/uapi/linux/audit.h), and by the names that `ausearch -i` prints. */
export const platforms: ReadonlyMap<string, string> = new Map([
  ['c000003e', 'linux/amd64'],
  ['x86_64', 'linux/amd64'],
  ['c00000b7', 'linux/arm64'],
  ['aarch64', 'linux/arm64'],
  ['40000003', 'linux/386'],
  ['i386', 'linux/386'],
  ['40000028', 'linux/arm'],
  ['arm', 'linux/arm'],
  ['c0000015', 'linux/ppc64le'],
  ['ppc64le', 'linux/ppc64le'],
  ['80000016', 'linux/s390x'],
  ['s390x', 'linux/s390x'],
  ['c00000f3', 'linux/riscv64'],
  ['riscv64', 'linux/riscv64'],
]);

/** Reads a list of names with numbers: each word that is a number gives the words behind it that and the following ones. */
function numbered(list: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  let number = 0;
  for (const word of list.split(/\s+/)) {
    if (/^\d+$/.test(word)) number = Number(word);
    else found.set(number++, word);
  }
  return found;
}

/** Calls from number 425 on have the same on both architectures. */
const recent =
  '425 io_uring_setup 428 open_tree move_mount 433 fspick 437 openat2 439 faccessat2 442 mount_setattr 452 fchmodat2';

/** arch/x86/entry/syscalls/syscall_64.tbl. */
const amd64 = numbered(
  '2 open 4 stat 6 lstat 21 access 42 connect 49 bind 59 execve 76 truncate 78 getdents 80 chdir 82 rename mkdir rmdir creat link ' +
    'unlink symlink readlink chmod 92 chown 94 lchown 132 utime mknod uselib 137 statfs 155 pivot_root 161 chroot 163 acct 165 mount ' +
    'umount2 swapon swapoff 188 setxattr lsetxattr 191 getxattr lgetxattr 194 listxattr llistxattr 197 removexattr lremovexattr ' +
    '217 getdents64 235 utimes 254 inotify_add_watch 257 openat mkdirat mknodat fchownat futimesat newfstatat unlinkat renameat ' +
    'linkat symlinkat readlinkat fchmodat faccessat 280 utimensat 301 fanotify_mark 303 name_to_handle_at open_by_handle_at ' +
    `316 renameat2 322 execveat 332 statx ${recent}`,
);

/** include/uapi/asm-generic/unistd.h. */
const arm64 = numbered(
  '5 setxattr lsetxattr 8 getxattr lgetxattr 11 listxattr llistxattr 14 removexattr lremovexattr 27 inotify_add_watch 33 mknodat ' +
    'mkdirat unlinkat symlinkat linkat renameat umount2 mount pivot_root 43 statfs 45 truncate 48 faccessat chdir 51 chroot ' +
    '53 fchmodat fchownat 56 openat 61 getdents64 78 readlinkat newfstatat 88 utimensat acct 200 bind 203 connect 221 execve ' +
    '224 swapon swapoff 262 fanotify_mark 264 name_to_handle_at open_by_handle_at 276 renameat2 281 execveat 291 statx ' +
    recent,
);

const byPlatform: ReadonlyMap<string, ReadonlyMap<number, string>> = new Map([
  ['linux/amd64', amd64],
  ['linux/arm64', arm64],
]);

/** Operations of io_uring that name files (include/uapi/linux/io_uring.h, enum io_uring_op). */
const ringOperations = numbered(
  '18 openat 21 statx 28 openat2 35 renameat2 unlinkat mkdirat symlinkat linkat',
);

/** Returns the call of a system call by its name or number; null for one that is not known to concern files. */
export function callOf(arch: string, syscall: string): Call | null {
  const name = /^\d+$/.test(syscall)
    ? byPlatform.get(platforms.get(arch) ?? '')?.get(Number(syscall))
    : syscall;
  return name === undefined ? null : (calls.get(name) ?? null);
}

/** Returns the call that an operation of io_uring stands for; null for one that names no file. */
export function callOfRing(operation: string): Call | null {
  return calls.get(ringOperations.get(Number(operation)) ?? '') ?? null;
}

/** Bits of open(2) that all architectures have (asm-generic/fcntl.h), and those of arm64 by their value on x86. */
const common = 0o1103;
const ofArm: readonly (readonly [arm: number, x86: number])[] = [
  [0o40000, 0o200000],
  [0o100000, 0o400000],
  [0o10000000, 0o10000000],
];

/** Returns the flags of an opening as `usesOfOpen` reads them: names, or a number with the bits of x86. The log has hexadecimal numbers. */
export function flagsOf(arch: string, text: string): string {
  if (!/^(?:0x)?[0-9a-f]+$/.test(text)) return text;
  const bits = Number.parseInt(text, 16);
  const platform = platforms.get(arch);
  if (platform === 'linux/amd64') return String(bits);
  if (platform !== 'linux/arm64') return String(bits & common);
  return String(
    ofArm.reduce((found, [arm, x86]) => ((bits & arm) === 0 ? found : found | x86), bits & common),
  );
}
