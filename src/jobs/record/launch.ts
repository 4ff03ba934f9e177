/**
 * Ways to start a command below strace: in this container, or in a root filesystem. `trace record` chooses one and hands it to
 * `record`.
 */
import { bubblewrapLine } from './bubblewrap.ts';
import { type Entrance, outsideOf } from './entrance.ts';

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
  return place.entrance.kind === 'privileged' || place.entrance.kind === 'bwrap';
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

/** What a container has beside its root filesystem. Only bubblewrap gives it to one. */
export interface Fittings {
  /** The program that is run as bubblewrap. */
  readonly bwrap: string;
  /** Options of bubblewrap that mount more. */
  readonly mounts: readonly string[];
  /** The words of prlimit(1) that bound every process in it; none for no bounds. */
  readonly bounds: readonly string[];
}

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
    place: null,
  };
}

/**
 * Returns the launch of a command in a root filesystem. bubblewrap gives it its own /proc, /dev, process numbers and loopback. The
 * others change only the root. With `bwrap` and `unshare`, a namespace has one user, who owns the files of the user that starts it.
 */
export function launchIn(container: Container, command: readonly string[], entrance: Entrance): Launch {
  const { root, cwd, uid, gid, env } = container;
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const inner = { PATH: path, ...env };
  const program = command[0] ?? '';
  const place = { container: { ...container, env: inner }, entrance };
  switch (entrance.kind) {
    case 'privileged':
    case 'bwrap':
      return {
        program,
        outside: outsideOf(entrance),
        ...bubblewrapLine({ ...container, env: inner }, command, entrance),
        cwd,
        hostRoot: null,
        users: usersOf(entrance, uid),
        // The command sees the environment of bubblewrap in /proc/1/environ.
        env: { PATH: process.env['PATH'] },
        place,
      };
    case 'unshare':
    case 'chroot': {
      const ids =
        entrance.kind === 'chroot' ? ['--setgid', String(gid), '--setuid', String(uid)] : ['--map-root-user'];
      return {
        program,
        outside: [],
        argv: ['unshare', ...ids, '--root', root, '--wd', cwd, ...command],
        execs: 2,
        cwd,
        hostRoot: root,
        users: usersOf(entrance, uid),
        // One PATH finds both unshare and the command.
        env: { ...inner, PATH: `${inner.PATH}:/usr/sbin:/usr/bin:/sbin:/bin` },
        place,
      };
    }
  }
}

function usersOf({ kind }: Entrance, uid: number): Launch['users'] {
  // Behind unshare, the command is root whatever its user was to be.
  if (kind === 'unshare') return 'one';
  if (uid !== 0) return 'own';
  return kind === 'bwrap' ? 'one' : 'all';
}
