/**
 * The system calls that show which capabilities and sockets a program needs. `strace.ts` gives each of them that returned to
 * `StraceRights`; `trace record` asks strace for them by `callsOfRights`.
 */
import type { Capability } from '../rights.ts';
import type { TraceSink } from '../trace-sink.ts';
import type { Process, Processes } from './strace-process.ts';
import type { ReturnedCall } from './strace-return.ts';
import { socketKindOf } from './strace-sockets.ts';

/** A capability that a call needs. Without `when`, each call that succeeds needs it. */
interface Need {
  readonly capability: Capability;
  readonly when: (call: ReturnedCall) => boolean;
}

/** The first port that each user may bind (ip(7): ip_unprivileged_port_start, as the kernel sets it). */
const firstOpenPort = 1024;
/** The bit of a mode by which programs run with the group of their file (S_ISGID), and the same as strace may write it. */
const setGroup = 0o2000;
/** Bytes that each user may lock: the smallest default of RLIMIT_MEMLOCK (getrlimit(2)). */
const freelyLocked = 65_536;

const always = (): boolean => true;

/** Returns whether the IDs that these arguments give to a file or process change anything: -1 leaves one as it is (chown(2)). */
function sets(...args: readonly number[]): Need['when'] {
  return (call) => args.some((index) => call.has(index) && call.text(index) !== '-1');
}

/** Returns whether an argument contains one of these words. */
function says(index: number, words: RegExp): Need['when'] {
  return (call) => call.has(index) && words.test(call.text(index));
}

function bindsLowPort(call: ReturnedCall): boolean {
  const port = Number(/sin6?_port=htons\(([0-9]{1,5})\)/.exec(call.text(1))?.[1] ?? 0);
  return port > 0 && port < firstOpenPort;
}

/** Returns whether namespaces are made or entered, and not together with a namespace of users, in which every user may do so. */
function takesNamespaces(call: ReturnedCall): boolean {
  return (
    /CLONE_NEW(?:NS|UTS|IPC|PID|NET|CGROUP|TIME)\b/.test(call.line) && !call.line.includes('CLONE_NEWUSER')
  );
}

function setsGroupBit(index: number): Need['when'] {
  return (call) => {
    const mode = call.text(index);
    return mode.includes('S_ISGID') || (Number.parseInt(mode, 8) & setGroup) !== 0;
  };
}

const alarm = /_ALARM\b/;
const device = /S_IF(?:CHR|BLK)/;
const fileCapability = /^"security\.capability"/;
const realTime = /SCHED_(?:FIFO|RR|DEADLINE)/;

/**
 * What a call needs that ordinary users lack, from capabilities(7) and the manual pages of the calls. Where a call needs the capability in
 * some cases that its line cannot tell from others (the owner of a file, limits), the table has it if that is why programs usually make
 * it: a profile that allows more than is needed still lets the program run. `setuid` and the like are in `idCalls`.
 */
const table: readonly (readonly [Capability, string, Need['when']])[] = [
  ['audit_write', 'socket', says(2, /^NETLINK_AUDIT\b/)],
  ['bpf', 'bpf', always],
  ['chown', 'chown chown32 lchown lchown32 fchown fchown32', sets(1, 2)],
  ['chown', 'fchownat', sets(2, 3)],
  ['dac_read_search', 'open_by_handle_at', always],
  ['fsetid', 'chmod fchmod', setsGroupBit(1)],
  ['fsetid', 'fchmodat fchmodat2', setsGroupBit(2)],
  ['ipc_lock', 'mlockall', always],
  ['ipc_lock', 'mlock mlock2', (call) => call.number(1) > freelyLocked],
  ['ipc_lock', 'shmctl', says(1, /^SHM_(?:UN)?LOCK\b/)],
  ['linux_immutable', 'ioctl', says(2, /FS_(?:IMMUTABLE|APPEND)_FL/)],
  ['mknod', 'mknod', says(1, device)],
  ['mknod', 'mknodat', says(2, device)],
  ['net_admin', 'setsockopt', says(2, /^SO_(?:MARK|SNDBUFFORCE|RCVBUFFORCE)\b/)],
  ['net_admin', 'ioctl', says(1, /^(?:SIOCSIF|SIOCADDRT|SIOCDELRT|SIOCETHTOOL|TUNSETIFF)/)],
  ['net_bind_service', 'bind', bindsLowPort],
  ['net_raw', 'socket', (call) => /^(?:packet |inet6? raw$)/.test(socketKindOf(call) ?? '')],
  ['perfmon', 'perf_event_open', always],
  ['setfcap', 'setxattr lsetxattr fsetxattr', says(1, fileCapability)],
  ['setfcap', 'setxattrat', says(3, fileCapability)],
  ['setgid', 'setgroups setgroups32', always],
  ['setpcap', 'prctl', says(0, /^PR_(?:CAPBSET_DROP|SET_SECUREBITS)\b/)],
  ['sys_admin', 'mount umount umount2 move_mount mount_setattr fsmount pivot_root', always],
  ['sys_admin', 'open_tree', (call) => call.line.includes('OPEN_TREE_CLONE')],
  ['sys_admin', 'sethostname setdomainname swapon swapoff quotactl fanotify_init', always],
  ['sys_admin', 'setns unshare clone clone2 clone3', takesNamespaces],
  ['sys_boot', 'reboot kexec_load kexec_file_load', always],
  ['sys_chroot', 'chroot', always],
  ['sys_chroot', 'setns', (call) => call.line.includes('CLONE_NEWNS')],
  ['sys_module', 'init_module finit_module delete_module', always],
  ['sys_nice', 'setpriority', (call) => call.text(2).startsWith('-')],
  ['sys_nice', 'sched_setscheduler sched_setattr', says(1, realTime)],
  ['sys_nice', 'ioprio_set', says(2, /IOPRIO_CLASS_RT/)],
  ['sys_pacct', 'acct', always],
  ['sys_ptrace', 'ptrace', says(0, /^PTRACE_(?:ATTACH|SEIZE)\b/)],
  ['sys_rawio', 'iopl ioperm', always],
  ['sys_resource', 'prctl', says(0, /^PR_SET_MM\b/)],
  ['sys_time', 'settimeofday stime clock_settime clock_settime64', always],
  ['sys_time', 'adjtimex', says(0, /modes=[^0]/)],
  ['sys_time', 'clock_adjtime clock_adjtime64', says(1, /modes=[^0]/)],
  ['sys_tty_config', 'vhangup', always],
  ['syslog', 'syslog', (call) => !/SYSLOG_ACTION_(?:READ_ALL|SIZE_BUFFER)\b/.test(call.text(0))],
  ['wake_alarm', 'timer_create timerfd_create', says(0, alarm)],
];

const needs = new Map<string, Need[]>();
for (const [capability, names, when] of table)
  for (const name of names.split(' ')) {
    const known = needs.get(name);
    if (known === undefined) needs.set(name, [{ capability, when }]);
    else known.push({ capability, when });
  }

/** A call by which a process becomes another user or joins another group. */
interface IdCall {
  readonly which: 'uid' | 'gid';
  readonly capability: Capability;
  /** The arguments that name the new effective one: the first that is not -1. */
  readonly effective: readonly number[];
}

const idCalls: ReadonlyMap<string, IdCall> = new Map(
  (
    [
      ['setuid', 'uid', [0]],
      ['setreuid', 'uid', [1, 0]],
      ['setresuid', 'uid', [1, 0, 2]],
      ['setfsuid', 'uid', []],
      ['setgid', 'gid', [0]],
      ['setregid', 'gid', [1, 0]],
      ['setresgid', 'gid', [1, 0, 2]],
    ] as const
  ).flatMap(([name, which, effective]) =>
    [name, `${name}32`].map((each): [string, IdCall] => [
      each,
      { which, capability: which === 'uid' ? 'setuid' : 'setgid', effective },
    ]),
  ),
);

/** Calls that return the user or the group of a process. They need nothing: they tell what the others change. */
const askingCalls: ReadonlyMap<string, 'uid' | 'gid'> = new Map(
  ['', '32'].flatMap((end): (readonly [string, 'uid' | 'gid'])[] => [
    [`geteuid${end}`, 'uid'],
    [`getuid${end}`, 'uid'],
    [`getegid${end}`, 'gid'],
    [`getgid${end}`, 'gid'],
  ]),
);

/** Calls that send a signal to the process that their first argument numbers. */
const signalCalls: ReadonlySet<string> = new Set(['kill', 'tkill', 'tgkill', 'rt_sigqueueinfo']);

/** The names of all calls that may show rights. */
export const namesOfRights: ReadonlySet<string> = new Set([
  ...needs.keys(),
  ...idCalls.keys(),
  ...askingCalls.keys(),
  ...signalCalls,
  'socketpair',
]);

/**
 * Calls that programs make so often that recording them would slow them down, for a right that few of them need, and those that tell
 * the user: a recording knows as whom it starts its program.
 */
const unrecorded: ReadonlySet<string> = new Set(['ioctl', 'setsockopt', ...askingCalls.keys()]);

/** The calls that must be recorded for rights to be complete, as far as recording them costs little. */
export const callsOfRights: readonly string[] = [...namesOfRights]
  .filter((name) => !unrecorded.has(name))
  .sort();

/** Tells the sink which sockets and capabilities calls show. */
export class StraceRights {
  readonly #sink: TraceSink;
  readonly #processes: Processes;

  constructor(sink: TraceSink, processes: Processes) {
    this.#sink = sink;
    this.#processes = processes;
  }

  /** Notes what a call shows. One that failed shows nothing. */
  apply(name: string, call: ReturnedCall): void {
    if (call.isError) return;
    for (const { capability, when } of needs.get(name) ?? [])
      if (when(call) && !(capability === 'chown' && this.#isOwnFile(name, call)))
        this.#sink.capability(capability, name);
    if (name === 'socket' || name === 'socketpair') {
      const kind = socketKindOf(call);
      if (kind !== null) this.#sink.socket(kind);
    }
    const change = idCalls.get(name);
    const asked = askingCalls.get(name);
    if (change !== undefined) this.#become(name, call, change);
    else if (asked !== undefined) this.#processes.learn(call.process, asked, call.descriptor);
    else if (signalCalls.has(name)) this.#signal(name, call);
  }

  /**
   * Follows the user and the group of a process. Becoming the one that it is needs nothing (setuid(2)): programs do so to give up what a set-user-ID
   * bit gave them. Where it is not known as whom the program started, a call to become root is taken for such a one, since hardly anybody else may,
   * and a call to become another user is not: a program that starts as root and lacks the capability would fail.
   */
  #become(name: string, call: ReturnedCall, { which, capability, effective }: IdCall): void {
    const { process } = call;
    const given = [0, 1, 2].filter((index) => call.has(index)).map((index) => call.text(index));
    const ids = given.filter((id) => id !== '-1');
    if (ids.length > 0 && ids.every((id) => id === '0')) this.#processes.learn(process, which, 0);
    const own = String(this.#processes.idOf(process, which));
    if (ids.some((id) => id !== own)) this.#sink.capability(capability, name);
    const next = effective.map((index) => given[index]).find((id) => id !== undefined && id !== '-1');
    if (next !== undefined && /^[0-9]{1,10}$/.test(next)) process[which] = Number(next);
  }

  /** Returns whether an ordinary user leaves a file his own, with another of his groups: that needs nothing (chown(2)). */
  #isOwnFile(name: string, call: ReturnedCall): boolean {
    const uid = this.#processes.idOf(call.process, 'uid') ?? 0;
    const owner = call.text(name === 'fchownat' ? 2 : 1);
    return uid !== 0 && (owner === '-1' || owner === String(uid));
  }

  /** A signal to a process of another user needs a capability (kill(2)). */
  #signal(name: string, call: ReturnedCall): void {
    const target = this.#target(call);
    if (target === null || target === call.process) return;
    const [own, other] = [call.process, target].map((each) => this.#processes.idOf(each, 'uid'));
    if (own !== other) this.#sink.capability('kill', name);
  }

  /** The process that the first argument numbers: a process, or with a minus the first one of a group. Null for others. */
  #target(call: ReturnedCall): Process | null {
    // --decode-pids: `kill(7 /* 4711 in strace's PID NS */, SIGTERM)`.
    const found = /^-?([0-9]{1,10})(?: \/\* ([0-9]{1,10}) )?/.exec(call.text(0));
    return found === null ? null : this.#processes.known(Number(found[2] ?? found[1]));
  }
}
