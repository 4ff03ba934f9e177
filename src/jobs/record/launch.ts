/**
 * Ways to start a command below strace: in this container, or in a root filesystem. `trace record` chooses one and hands it to
 * `record`.
 */
import { execFile } from 'node:child_process';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OcislimError } from '../../errors.ts';
import { findPrivileges, mountsOf, type Privileges, switchTo } from './privileged.ts';

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

/** The fittings of a root filesystem that a person unpacked. */
const plain: Fittings = { bwrap: 'bwrap', mounts: [], bounds: [] };

/**
 * Ways into a root filesystem, the best first. `privileged` and `chroot` need root, and have all users. So does `privileged` of an ordinary
 * user in a namespace with the users that /etc/subuid gives to him: its words are `outside`.
 */
export type Entrance =
  | { readonly kind: 'privileged'; readonly privileges: Privileges; readonly outside: readonly string[] }
  | { readonly kind: 'bwrap'; readonly privileges: Privileges }
  | { readonly kind: 'unshare' }
  | { readonly kind: 'chroot' };

/**
 * The namespaces of bubblewrap. By the last option they end with the command, as a container does: else strace would wait for what that
 * leaves in the background.
 */
const spaces = ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--die-with-parent'];

/**
 * Makes parts of /proc read-only, as runtimes do (moby, oci/defaults.go): root may write to them without any capability, and
 * `kernel.core_pattern` names a program that the kernel runs outside. bubblewrap leaves out /proc/sys where it seems to be read-only.
 */
const guards = ['sys', 'sysrq-trigger', 'irq', 'bus', 'fs'].flatMap((name) => {
  const path = `/proc/${name}`;
  return ['--ro-bind-try', path, path];
});

/** Makes a user root of a namespace of his own, in which further ones can be entered. */
const alone: readonly string[] = ['unshare', '--map-root-user', '--'];

/** Returns the words before strace: those that enter the namespace of users in which all of the run happens. */
export function outsideOf(entrance: Entrance): readonly string[] {
  if (entrance.kind === 'privileged') return entrance.outside;
  return entrance.kind === 'bwrap' ? alone : [];
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
  const { root, cwd, uid, gid, env, fittings } = container;
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const inner = { PATH: path, ...env };
  const program = command[0] ?? '';
  const place = { container: { ...container, env: inner }, entrance };
  switch (entrance.kind) {
    case 'privileged':
    case 'bwrap': {
      const { options, become } =
        entrance.kind === 'privileged'
          ? asRoot(container, entrance.privileges)
          : asOne(container, entrance.privileges);
      const network = container.network === 'host' ? [] : ['--unshare-net'];
      const mounts = ['--bind', root, '/', '--proc', '/proc', ...guards, '--dev', '/dev'];
      const variables = Object.entries(inner).flatMap(([name, value]) => ['--setenv', name, value]);
      // The environment is set from its own arguments: a PATH of the image must not decide which bwrap is run.
      return {
        program,
        outside: outsideOf(entrance),
        argv: [
          ...fittings.bounds,
          fittings.bwrap,
          ...spaces,
          ...network,
          ...mounts,
          ...fittings.mounts,
          ...options,
          '--chdir',
          cwd,
          '--clearenv',
          ...variables,
          '--',
          ...become,
          ...command,
        ],
        execs: (become.length === 0 ? 2 : 3) + (fittings.bounds.length === 0 ? 0 : 1),
        cwd,
        hostRoot: null,
        users: usersOf(entrance, uid),
        // The command sees the environment of bubblewrap in /proc/1/environ.
        env: { PATH: process.env['PATH'] },
        place,
      };
    }
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

/** The options of bubblewrap that leave these capabilities. It sets no-new-privs, by which no execution brings others back. */
function keepOnly(capabilities: readonly string[]): readonly string[] {
  return ['--cap-drop', 'ALL', ...capabilities.flatMap((name) => ['--cap-add', name])];
}

/** How bubblewrap runs without a namespace of users: the options, and what becomes the user behind it. */
function asRoot(
  container: Container,
  { capabilities, changesModes, ...programs }: Privileges,
): { readonly options: readonly string[]; readonly become: readonly string[] } {
  const { uid, gid, groups } = container;
  // bubblewrap makes this directory for root alone; without it, other users have no semaphores.
  const memory = changesModes === true ? ['--chmod', '1777', '/dev/shm'] : [];
  const options = [...keepOnly(capabilities), ...memory];
  const becomes = programs.setpriv !== null && (uid !== 0 || gid !== 0 || groups.length > 0);
  return {
    options: [...options, ...helpersOf(container, programs, becomes)],
    become: becomes ? switchTo(uid, gid, groups) : [],
  };
}

/** How bubblewrap runs with a namespace of one user. */
function asOne(container: Container, privileges: Privileges) {
  const ids = ['--unshare-user', '--uid', String(container.uid), '--gid', String(container.gid)];
  // bubblewrap is started as root of a namespace, and would leave all rights in it to the program.
  const rights = keepOnly(container.uid === 0 ? privileges.capabilities : []);
  return { options: [...ids, ...rights, ...helpersOf(container, privileges, false)], become: [] };
}

/** The options that put the helpers there which this container needs. */
function helpersOf(
  { hasCompany }: Container,
  { setpriv, env = null }: Pick<Privileges, 'setpriv' | 'env'>,
  becomes: boolean,
): readonly string[] {
  if (setpriv === null || (!becomes && !hasCompany)) return [];
  return mountsOf(hasCompany && env !== null ? { setpriv, env } : { setpriv });
}

/** A root filesystem, and how its image says to run in it. */
export interface RootEntry {
  readonly root: string;
  /** The user, by name or number, with or without `:GROUP`. '' stands for root. */
  readonly user: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly network: Container['network'];
  readonly hasCompany: boolean;
}

/**
 * Finds the best way into a root filesystem that works here, and returns the launch of the command by it.
 *
 * @throws IO for a missing folder, USAGE for a user that the root filesystem does not have, UNSUPPORTED where no way works
 */
export async function enterRoot(
  entry: RootEntry,
  command: readonly string[],
  signal: AbortSignal,
): Promise<Launch> {
  const root = await realpath(entry.root).catch((cause: unknown) => {
    throw new OcislimError('IO', `no root filesystem at ${entry.root}`, { cause });
  });
  const container = await containerOf({ ...entry, root }, plain);
  const entrance = await findEntrance(container, () => true, signal);
  if (entrance !== null) return launchIn(container, command, entrance);
  throw new OcislimError('UNSUPPORTED', 'no way to enter the root filesystem works here', {
    advice: 'Install bubblewrap and allow user namespaces, or run as root.',
  });
}

/** Returns the container of a root filesystem. @throws USAGE for a user that it does not have */
export async function containerOf(entry: RootEntry, fittings: Fittings): Promise<Container> {
  const { user, ...given } = entry;
  const { home, ...ids } = await idsOf(entry.root, user);
  return { ...given, env: { HOME: home, ...entry.env }, ...ids, fittings };
}

/** Finds the best way in that works here, among those that the caller allows; null for none. */
export async function findEntrance(
  user: Pick<Container, 'uid' | 'gid' | 'groups'>,
  allows: (kind: Entrance['kind']) => boolean,
  signal: AbortSignal,
): Promise<Entrance | null> {
  for (const { entrance, trial } of await entrances(user, signal)) {
    if (allows(entrance.kind) && (await succeeds(trial, signal))) return entrance;
    signal.throwIfAborted();
  }
  return null;
}

interface Way {
  readonly entrance: Entrance;
  /** A command that succeeds where the way is open. */
  readonly trial: readonly string[];
}

/** Returns the ways that this user may try. */
async function entrances(
  container: Pick<Container, 'uid' | 'gid' | 'groups'>,
  signal: AbortSignal,
): Promise<readonly Way[]> {
  const single: Way = {
    entrance: { kind: 'bwrap', privileges: await findPrivileges(false, signal) },
    trial: [...alone, ...trialOf(['--unshare-user'])],
  };
  if (process.getuid?.() === 0)
    return [
      ...(await privilegedWay(container, [], signal)),
      { entrance: { kind: 'chroot' }, trial: ['unshare', '--root', '/', 'true'] },
      single,
    ];
  return [
    ...(await privilegedWay(container, mapped, signal)),
    single,
    { entrance: { kind: 'unshare' }, trial: ['unshare', '--map-root-user', 'true'] },
  ];
}

/** Returns a trial of bubblewrap. It runs `true` of this system: the root filesystem may not have any program. */
function trialOf(options: readonly string[]): readonly string[] {
  return ['bwrap', ...options, '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', 'true'];
}

/** Returns the way with all users, by these words before it; none where no program could become the user of the container. */
async function privilegedWay(
  { uid, gid, groups }: Pick<Container, 'uid' | 'gid' | 'groups'>,
  outside: readonly string[],
  signal: AbortSignal,
): Promise<readonly Way[]> {
  const privileges = await findPrivileges(outside.length === 0, signal);
  if (privileges.setpriv === null && (uid !== 0 || gid !== 0 || groups.length > 0)) return [];
  const trial = trialOf(['--unshare-net', ...keepOnly(privileges.capabilities)]);
  return [{ entrance: { kind: 'privileged', privileges, outside }, trial: [...outside, ...trial] }];
}

/** Makes an ordinary user root of a namespace that has the users of /etc/subuid (unshare(1), newuidmap(1)). */
const mapped: readonly string[] = ['unshare', '--map-root-user', '--map-auto', '--'];

async function succeeds([program = '', ...args]: readonly string[], signal: AbortSignal): Promise<boolean> {
  return promisify(execFile)(program, args, { signal }).then(
    () => true,
    () => false,
  );
}

/** The identity of a process: numbers, further groups, and the home directory. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
}

/**
 * Returns the numbers of a user, by etc/passwd and etc/group of a root filesystem. A number that is in neither stands for
 * itself, with group 0, as in runtimes. Without a group, the user has those that list it, too.
 *
 * @throws USAGE for a name that they do not have
 */
export async function idsOf(root: string, user: string): Promise<Identity> {
  const [name = '', group] = user.split(':', 2);
  const passwd = await rows(root, 'etc/passwd');
  const wanted = name === '' ? '0' : name;
  const row = passwd.find((fields) => fields[0] === wanted || (/^\d+$/.test(wanted) && fields[2] === wanted));
  const uid = /^\d+$/.test(wanted) ? Number(wanted) : number(row?.[2]);
  const all = await rows(root, 'etc/group');
  const named = all.find((fields) => fields[0] === group)?.[2] ?? group;
  const gid = group === undefined ? (number(row?.[3]) ?? 0) : number(named);
  const listed =
    group === undefined && row !== undefined ? all.filter((fields) => isMember(fields, row[0])) : [];
  if (uid === null || gid === null)
    throw new OcislimError('USAGE', `the root filesystem has no user ${user}`, {
      advice: 'Give --user UID:GID.',
    });
  const groups = listed.flatMap((fields) => number(fields[2]) ?? []).filter((each) => each !== gid);
  return { uid, gid, groups: [...new Set(groups)], home: row?.[5] || '/' };
}

/** Returns whether a row of etc/group lists a user. */
function isMember(fields: readonly string[], user: string | undefined): boolean {
  return user !== undefined && user !== '' && (fields[3] ?? '').split(',').includes(user);
}

function number(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

/** The rows of a file in the root filesystem. A file to which a symlink leads out of it is of another system: no rows. */
async function rows(root: string, file: string): Promise<readonly (readonly string[])[]> {
  const text = await readInside(root, file).catch(() => '');
  return text.split('\n').map((line) => line.split(':'));
}

async function readInside(root: string, file: string): Promise<string> {
  const path = await realpath(join(root, file));
  const home = await realpath(root);
  const isInside = home === '/' || path.startsWith(`${home}/`);
  return isInside && (await stat(path)).isFile() ? readFile(path, 'utf8') : '';
}
