/** How a command is started below strace. */
export interface Launch {
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
  return { argv: command, execs: 1, cwd, hostRoot: null, env };
}

/**
 * The command in a root filesystem. bubblewrap gives it its own /proc, /dev, process numbers and loopback; the others
 * change the root, and with `unshare` the user, and nothing else.
 */
export function launchIn(container: Container, command: readonly string[], entrance: Entrance): Launch {
  const { root, cwd, uid, gid, env } = container;
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const inner = { PATH: path, ...env };
  switch (entrance) {
    case 'bwrap': {
      const ids = ['--unshare-user', '--uid', String(uid), '--gid', String(gid)];
      const spaces = ['--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts'];
      const mounts = ['--bind', root, '/', '--proc', '/proc', '--dev', '/dev', '--chdir', cwd];
      const variables = Object.entries(inner).flatMap(([name, value]) => ['--setenv', name, value]);
      // The environment is set from its own arguments: a PATH of the image must not decide which bwrap is run.
      return {
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
