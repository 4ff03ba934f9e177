/**
 * Command lines that enter the sandbox of a recording from outside: its network, for probes, and all of it, for a command that runs beside the
 * program. Each is built for a launch and the processes that it has become.
 */
import { OcislimError } from '../../../errors.ts';
import { type Container, type Launch, launchHere, launchIn } from '../launch.ts';
import { giveUp } from '../privileged.ts';
import type { Live } from '../record.ts';

/** Returns the words that run a program of this system in the network of a sandbox. */
export function enterNetwork(launch: Launch, live: Live): readonly string[] {
  return ['nsenter', ...userOf(launch, live), `--net=/proc/${live.command}/ns/net`, '--'];
}

/** The option that enters the namespace of users in which strace runs, and from which all of the sandbox can be entered. */
function userOf({ outside }: Launch, { strace }: Live): readonly string[] {
  return outside.length === 0 ? [] : ['--preserve-credentials', `--user=/proc/${strace}/ns/user`];
}

/**
 * Returns the launch of a command beside the program: as its user, with its rights, environment and directory.
 * @throws UNSUPPORTED where a program of this system is missing that it needs
 */
export function launchBeside(launch: Launch, live: Live, command: readonly string[]): Launch {
  const { place, cwd, env } = launch;
  if (place === null) return launchHere(command, cwd, env);
  const { container, entrance } = place;
  if (entrance.kind === 'chroot') return launchIn(container, command, entrance);
  const { privileges } = entrance;
  if (privileges.setpriv === null || !privileges.env)
    throw new OcislimError(
      'UNSUPPORTED',
      'a command beside the program needs setpriv and env of this system',
      {
        advice: 'Install util-linux and coreutils.',
      },
    );
  const user = userOf(launch, live);
  const { bounds } = container.fittings;
  // With one user, the program may be in a namespace of its own below that of strace, in which he has another number.
  const isNested = entrance.users === 'one' && (entrance.by === 'bwrap' || hasOwnNumber(container));
  const isBounded = entrance.users === 'all' || container.uid === 0;
  const rights = giveUp({
    user: entrance.users === 'all' ? container : null,
    capabilities: isBounded ? privileges.capabilities : null,
    cwd: container.cwd,
    env: container.env,
  });
  const kinds = ['mount:mnt', 'pid:pid', 'net:net', 'ipc:ipc', 'uts:uts', ...(isNested ? ['user:user'] : [])];
  const spaces = kinds.map((each) => {
    const [option, file] = each.split(':');
    return `--${option}=/proc/${live.command}/ns/${file}`;
  });
  const { script: _, mark: __, ...others } = launch;
  return {
    ...others,
    program: command[0] ?? '',
    outside: user.length === 0 ? [] : ['nsenter', ...user, '--'],
    argv: [
      ...bounds,
      'nsenter',
      ...(isNested ? ['--preserve-credentials'] : []),
      ...spaces,
      '--',
      ...rights,
      ...command,
    ],
    execs: bounds.length === 0 ? 4 : 5,
    filter: null,
  };
}

/** Returns whether a program does not run as root. */
function hasOwnNumber({ uid, gid }: Pick<Container, 'uid' | 'gid'>): boolean {
  return uid !== 0 || gid !== 0;
}
