import { execFile } from 'node:child_process';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OcislimError } from '../../errors.ts';

/** How a command is started below strace. */
export interface Launch {
  /** For messages. */
  readonly program: string;
  /** The whole command line, without strace. */
  readonly argv: readonly string[];
  /** The successful `execve` that starts the command itself, counted from 1: those before it start the helpers. */
  readonly execs: number;
  /** Where the command starts, as the trace is to have it. */
  readonly cwd: string;
  /** What file descriptors are shown below, if not the root of the container. */
  readonly hostRoot: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A root filesystem to run in, and as whom. */
export interface Container {
  /** An absolute path without symlinks. */
  readonly root: string;
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly env: Readonly<Record<string, string>>;
}

/** Ways into a root filesystem, the best first; `chroot` needs root. */
export type Entrance = 'bwrap' | 'unshare' | 'chroot';

/** The command in this very container. */
export function launchHere(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Launch {
  return { program: command[0] ?? '', argv: command, execs: 1, cwd, hostRoot: null, env };
}

/**
 * The command in a root filesystem. bubblewrap gives it its own /proc, /dev, process numbers and loopback; the others
 * change the root, and with `unshare` the user, and nothing else.
 */
export function launchIn(container: Container, command: readonly string[], entrance: Entrance): Launch {
  const { root, cwd, uid, gid, env } = container;
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const inner = { PATH: path, ...env };
  const program = command[0] ?? '';
  switch (entrance) {
    case 'bwrap': {
      const ids = ['--unshare-user', '--uid', String(uid), '--gid', String(gid)];
      const spaces = ['--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts'];
      const mounts = ['--bind', root, '/', '--proc', '/proc', '--dev', '/dev', '--chdir', cwd];
      const variables = Object.entries(inner).flatMap(([name, value]) => ['--setenv', name, value]);
      // The environment is set from its own arguments: a PATH of the image must not decide which bwrap is run.
      return {
        program,
        argv: ['bwrap', ...ids, ...spaces, ...mounts, '--clearenv', ...variables, '--', ...command],
        execs: 2,
        cwd,
        hostRoot: null,
        env: process.env,
      };
    }
    case 'unshare':
    case 'chroot': {
      const ids =
        entrance === 'chroot' ? ['--setgid', String(gid), '--setuid', String(uid)] : ['--map-root-user'];
      return {
        program,
        argv: ['unshare', ...ids, '--root', root, '--wd', cwd, ...command],
        execs: 2,
        cwd,
        hostRoot: root,
        // One PATH finds both unshare and the command.
        env: { ...inner, PATH: `${inner.PATH}:/usr/sbin:/usr/bin:/sbin:/bin` },
      };
    }
  }
}

/** A root filesystem, and what its image says of running in it. */
export interface RootEntry {
  readonly root: string;
  /** Names or numbers, maybe with a group after a colon; '' for 0. */
  readonly user: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Looks which way into a root filesystem is open here. @throws IO for a folder that is not there, USAGE for a user that
 * it does not know, UNSUPPORTED where no way is open
 */
export async function enterRoot(
  entry: RootEntry,
  command: readonly string[],
  signal: AbortSignal,
): Promise<Launch> {
  const root = await realpath(entry.root).catch((cause: unknown) => {
    throw new OcislimError('IO', `there is no root filesystem at ${entry.root}`, { cause });
  });
  const container = { root, cwd: entry.cwd, env: entry.env, ...(await idsOf(root, entry.user)) };
  const isRoot = process.getuid?.() === 0;
  const ways: readonly (readonly [Entrance, readonly string[]])[] = [
    // Only what is needed to get in: a program to run there may not exist.
    ['bwrap', ['bwrap', '--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', 'true']],
    ...(isRoot
      ? ([['chroot', ['unshare', '--version']]] as const)
      : ([['unshare', ['unshare', '--map-root-user', 'true']]] as const)),
  ];
  for (const [entrance, [program = '', ...args]] of ways) {
    const opens = await promisify(execFile)(program, args, { signal }).then(
      () => true,
      () => false,
    );
    if (opens) return launchIn(container, command, entrance);
    signal.throwIfAborted();
  }
  throw new OcislimError('UNSUPPORTED', 'there is no way into the root filesystem', {
    advice: 'Install bubblewrap and allow user namespaces, or run as root.',
  });
}

/** The numbers of a user of a root filesystem. @throws USAGE where it has none of that name */
export async function idsOf(root: string, user: string): Promise<{ uid: number; gid: number }> {
  const [name = '', group] = user.split(':', 2);
  const passwd = await rows(root, 'etc/passwd');
  const row = passwd.find((fields) => fields[0] === name || (/^\d+$/.test(name) && fields[2] === name));
  const uid = name === '' ? 0 : /^\d+$/.test(name) ? Number(name) : number(row?.[2]);
  const groups = group === undefined || /^\d+$/.test(group) ? [] : await rows(root, 'etc/group');
  const named = groups.find((fields) => fields[0] === group)?.[2] ?? group;
  const gid = group === undefined ? (number(row?.[3]) ?? 0) : number(named);
  if (uid === null || gid === null)
    throw new OcislimError('USAGE', `the root filesystem knows no user ${user}`, {
      advice: 'Give --user UID:GID.',
    });
  return { uid, gid };
}

function number(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

/** Of a file in the root filesystem; none of one that a symlink leads out of it, since that is of another system. */
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
