/**
 * Ways to start a command below strace: in this container, or in a root filesystem. `trace record` chooses one and hands it to
 * `record`.
 */
import { bubblewrapLine } from './bubblewrap.ts';
import { type Entrance, outsideOf } from './entrance.ts';
import type { Mount } from './sandbox/mounts.ts';
import type { MountTable } from './sandbox/mount-table.ts';
import { unshareLine } from './unshare.ts';

/** How to start a command below strace. */
export interface Launch {
  /** The name of the command in messages. */
  readonly program: string;
  /** The words that start strace itself in a namespace of users; none for strace as this user. */
  readonly outside: readonly string[];
  /** The whole command line that strace runs: the command, behind the helper that enters its root. */
  readonly argv: readonly string[];
  /** The number of the successful `execve` that starts the command itself, from 1. Those before it start helpers. */
  readonly execs: number;
  /** The path of the program with whose first execution the counting of `execs` begins. Default: it begins with the first of all. */
  readonly mark?: string;
  /** A file that must be written before `argv` is run. Default: none. */
  readonly script?: { readonly file: string; readonly text: string };
  /** The directory in which the command starts, as it sees it. */
  readonly cwd: string;
  /** The directory below which strace shows descriptors. Null: it shows them as the command sees them. */
  readonly hostRoot: string | null;
  /**
   * The users that the command may become. `all`: it starts as root. `one`: it starts as root of a namespace that has no other user, to
   * whom every file belongs. `own`: it starts as an ordinary user.
   */
  readonly users: 'all' | 'one' | 'own';
  /** The environment of `argv`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The filter of system calls that `argv` reads from `filterDescriptor`; null for none. */
  readonly filter: Uint8Array | null;
  /** The root filesystem and the way into it; null for this very container. */
  readonly place: Place | null;
}

/** Where a command runs, and how it came there. */
export interface Place {
  readonly container: Container;
  readonly entrance: Entrance;
}

/** Returns whether the command has a network of its own, with nothing but loopback. */
export function hasOwnNetwork({ place }: Pick<Launch, 'place'>): boolean {
  if (place === null || place.container.network === 'host') return false;
  return place.entrance.kind === 'sandbox';
}

/** Returns the user and the group as which the command starts, as it sees their numbers. */
export function userOf({ place }: Pick<Launch, 'place'>): Pick<Container, 'uid' | 'gid'> {
  if (place === null) return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const { container, entrance } = place;
  // In a chroot without further users, the command is root whatever its user was to be.
  if (entrance.kind === 'chroot' && entrance.users === 'one') return { uid: 0, gid: 0 };
  return { uid: container.uid, gid: container.gid };
}

/** A root filesystem to run a command in, and the user to run it as. */
export interface Container {
  /** The absolute path of the root, without symlinks. */
  readonly root: string;
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  /** The further groups of the user. */
  readonly groups: readonly number[];
  readonly env: Readonly<Record<string, string>>;
  /** Whether it has the network of this machine, or one of its own, where the way in allows it. */
  readonly network: 'private' | 'host';
  /** Whether commands are to run beside the program. */
  readonly hasCompany: boolean;
  /** What the container has beside its root. */
  readonly fittings: Fittings;
}

/** What a container has beside its root filesystem. Only sandboxes give it to one. */
export interface Fittings {
  /** The program that is run as bubblewrap. */
  readonly bwrap: string;
  /** The file for the script of a sandbox without bubblewrap. */
  readonly script: string;
  /** What is mounted on this machine, for such a sandbox. */
  readonly table: MountTable;
  /** What is mounted beside the root, /proc and /dev, in this order. */
  readonly mounts: readonly Mount[];
  /** The name of the machine in there; null for that of this machine. */
  readonly hostname: string | null;
  /** The words of prlimit(1) that bound every process in it; none for no bounds. */
  readonly bounds: readonly string[];
  /** The filter of system calls under which the program runs; null for none. */
  readonly filter: Uint8Array | null;
}

/** The fittings of a root filesystem that a person unpacked. */
export const noFittings: Fittings = {
  bwrap: 'bwrap',
  script: '',
  table: [],
  mounts: [],
  hostname: null,
  bounds: [],
  filter: null,
};

/** Returns the launch of a command in this very container. */
export function launchHere(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Launch {
  return {
    program: command[0] ?? '',
    outside: [],
    argv: command,
    execs: 1,
    cwd,
    hostRoot: null,
    users: process.getuid?.() === 0 ? 'all' : 'own',
    env,
    filter: null,
    place: null,
  };
}

/** Returns the launch of a command in a root filesystem. A sandbox gives it all that a container has; a chroot changes only the root. */
export function launchIn(given: Container, command: readonly string[], entrance: Entrance): Launch {
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const container = { ...given, env: { PATH: path, ...given.env } };
  const { root, cwd, uid, gid, env } = container;
  const common = {
    program: command[0] ?? '',
    outside: outsideOf(entrance),
    cwd,
    users: usersOf(entrance, uid),
    place: { container, entrance },
  };
  if (entrance.kind === 'sandbox')
    return {
      ...common,
      filter: null,
      ...(entrance.by === 'bwrap' ? bubblewrapLine : unshareLine)(container, command, entrance),
      hostRoot: null,
      // The command may see the environment of the first process in /proc/1/environ.
      env: { PATH: process.env['PATH'] },
    };
  const ids =
    entrance.users === 'all' ? ['--setgid', String(gid), '--setuid', String(uid)] : ['--map-root-user'];
  return {
    ...common,
    argv: ['unshare', ...ids, '--root', root, '--wd', cwd, ...command],
    execs: 2,
    hostRoot: root,
    filter: null,
    // One PATH finds both unshare and the command.
    env: { ...env, PATH: `${env.PATH}:/usr/sbin:/usr/bin:/sbin:/bin` },
  };
}

function usersOf({ kind, users }: Entrance, uid: number): Launch['users'] {
  // In a chroot without further users, the command is root whatever its user was to be.
  if (kind === 'chroot' && users === 'one') return 'one';
  return uid === 0 ? users : 'own';
}
