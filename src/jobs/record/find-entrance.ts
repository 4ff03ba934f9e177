/** Finds out which ways into a root filesystem work on this machine. The callers of `launch.ts` choose one by it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { keepOnly } from './bubblewrap.ts';
import { alone, type Entrance, mapped } from './entrance.ts';
import type { Container } from './launch.ts';
import { findPrivileges } from './privileged.ts';

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

async function succeeds([program = '', ...args]: readonly string[], signal: AbortSignal): Promise<boolean> {
  return promisify(execFile)(program, args, { signal }).then(
    () => true,
    () => false,
  );
}
