/** Finds out which ways into a root filesystem work on this machine. The callers of `launch.ts` choose one by it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { keepOnly } from './bubblewrap.ts';
import { alone, type Entrance, mapped } from './entrance.ts';
import type { Container } from './launch.ts';
import { findPrivileges, type Privileges } from './privileged.ts';

type User = Pick<Container, 'uid' | 'gid' | 'groups'>;

/** Finds the best way in that works here, among those that the caller allows; null for none. */
export async function findEntrance(
  user: User,
  allows: (entrance: Entrance) => boolean,
  signal: AbortSignal,
): Promise<Entrance | null> {
  for (const { entrance, trial } of await waysFor(user, signal)) {
    if (allows(entrance) && (await succeeds(trial, signal))) return entrance;
    signal.throwIfAborted();
  }
  return null;
}

interface Way {
  readonly entrance: Entrance;
  /** A command that succeeds where the way is open. */
  readonly trial: readonly string[];
}

/** Returns the ways that this user may try, the best first. */
async function waysFor(user: User, signal: AbortSignal): Promise<readonly Way[]> {
  const isRoot = process.getuid?.() === 0;
  const all = sandboxOfAll(user, isRoot ? [] : mapped, await findPrivileges(isRoot, signal));
  const one = sandboxOfOne(await findPrivileges(false, signal));
  const chroot: Way = isRoot
    ? { entrance: { kind: 'chroot', users: 'all' }, trial: ['unshare', '--root', '/', 'true'] }
    : { entrance: { kind: 'chroot', users: 'one' }, trial: ['unshare', '--map-root-user', 'true'] };
  return isRoot ? [...all, chroot, one] : [...all, one, chroot];
}

/** Returns the way with all users, by these words before it; none where no program could become the user of the container. */
function sandboxOfAll(
  { uid, gid, groups }: User,
  outside: readonly string[],
  privileges: Privileges,
): readonly Way[] {
  if (privileges.setpriv === null && (uid !== 0 || gid !== 0 || groups.length > 0)) return [];
  const trial = trialOf(['--unshare-net', ...keepOnly(privileges.capabilities)]);
  return [
    {
      entrance: { kind: 'sandbox', by: 'bwrap', users: 'all', privileges, outside },
      trial: [...outside, ...trial],
    },
  ];
}

function sandboxOfOne(privileges: Privileges): Way {
  return {
    entrance: { kind: 'sandbox', by: 'bwrap', users: 'one', privileges, outside: alone },
    trial: [...alone, ...trialOf(['--unshare-user'])],
  };
}

/** Returns a trial of bubblewrap. It runs `true` of this system: the root filesystem may not have any program. */
function trialOf(options: readonly string[]): readonly string[] {
  return ['bwrap', ...options, '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', 'true'];
}

async function succeeds([program = '', ...args]: readonly string[], signal: AbortSignal): Promise<boolean> {
  return promisify(execFile)(program, args, { signal }).then(
    () => true,
    () => false,
  );
}
