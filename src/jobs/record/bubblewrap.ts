/** The command line of bubblewrap for a container. `launch.ts` puts it behind strace. */
import type { Confinement } from './entrance.ts';
import type { Container, Launch } from './launch.ts';
import { mountsOf, type Privileges, switchTo } from './privileged.ts';
import { guarded, type Mount } from './sandbox/mounts.ts';

/**
 * The namespaces of bubblewrap. By the last option they end with the command, as a container does: else strace would wait for what that
 * leaves in the background.
 */
const spaces = ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--die-with-parent'];

/** The descriptor from which bubblewrap reads the filter of system calls. A child of this process has the first three only, and what is added. */
export const filterDescriptor = 3;

/** Returns the command line that runs a command in a container by bubblewrap, and which of its executions is that of the command. */
export function bubblewrapLine(
  container: Container,
  command: readonly string[],
  { users, privileges }: Pick<Confinement, 'users' | 'privileges'>,
): Pick<Launch, 'argv' | 'execs' | 'filter'> {
  const { root, cwd, env, fittings } = container;
  const { filter } = fittings;
  const { options, become } = users === 'all' ? asRoot(container, privileges) : asOne(container, privileges);
  const network = container.network === 'host' ? [] : ['--unshare-net'];
  // bubblewrap leaves out /proc/sys where it seems to be read-only.
  const guards = guarded.flatMap((path) => ['--ro-bind-try', path, path]);
  const mounts = [
    '--bind',
    root,
    '/',
    '--proc',
    '/proc',
    ...guards,
    '--dev',
    '/dev',
    ...fittings.mounts.flatMap((mount) => optionsOf(mount, privileges)),
    ...(fittings.hostname === null ? [] : ['--hostname', fittings.hostname]),
  ];
  const variables = Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]);
  // The environment is set from its own arguments: a PATH of the image must not decide which bwrap is run.
  const argv = [
    ...fittings.bounds,
    fittings.bwrap,
    ...spaces,
    ...network,
    ...mounts,
    ...options,
    '--chdir',
    cwd,
    '--clearenv',
    ...variables,
    ...(filter === null ? [] : ['--seccomp', String(filterDescriptor)]),
    '--',
    ...become,
    ...command,
  ];
  return { argv, execs: (become.length === 0 ? 2 : 3) + (fittings.bounds.length === 0 ? 0 : 1), filter };
}

/** Returns the options that mount something. */
function optionsOf(mount: Mount, { changesModes }: Privileges): readonly string[] {
  switch (mount.kind) {
    case 'bind':
      return [mount.readOnly ? '--ro-bind' : '--bind', mount.source, mount.target];
    case 'memory':
      return [
        ...(mount.isShared && changesModes === true ? ['--perms', '1777'] : []),
        ...(mount.size === null ? [] : ['--size', String(mount.size)]),
        '--tmpfs',
        mount.target,
      ];
    case 'seal':
      return ['--remount-ro', mount.target];
    case 'queues':
      return ['--mqueue', mount.target];
  }
}

/** Returns the options of bubblewrap that leave these capabilities. It sets no-new-privs, by which no execution brings others back. */
export function keepOnly(capabilities: readonly string[]): readonly string[] {
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
