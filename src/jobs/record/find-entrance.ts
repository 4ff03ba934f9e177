/** Finds out which ways into a root filesystem work on this machine. The callers of `launch.ts` choose one by it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { keepOnly } from './bubblewrap.ts';
import { alone, type Confinement, type Entrance, mapped } from './entrance.ts';
import type { Container } from './launch.ts';
import { findCapabilities, findPrograms } from './privileged.ts';
import { firstWords, tryUnshare } from './try-unshare.ts';

type User = Pick<Container, 'uid' | 'gid' | 'groups'>;

/** A way that does not work here, and what its program said. */
export interface Refused {
  readonly by: 'bwrap' | 'unshare';
  readonly why: string;
}

/**
 * Finds the best way in that works here, among those that the caller allows; null for none. `onRefused` is told which ones do not.
 */
export async function findEntrance(
  user: User,
  allows: (entrance: Entrance) => boolean,
  signal: AbortSignal,
  onRefused: (refused: Refused) => void = () => {},
): Promise<Entrance | null> {
  for (const { entrance, attempt } of await waysFor(user, signal)) {
    if (!allows(entrance)) continue;
    try {
      await attempt(signal);
      return entrance;
    } catch (error) {
      signal.throwIfAborted();
      onRefused({ by: entrance.kind === 'sandbox' ? entrance.by : 'unshare', why: firstWords(error) });
    }
  }
  return null;
}

interface Way {
  readonly entrance: Entrance;
  /** Tries whether the way is open. Rejects where it is not. */
  readonly attempt: (signal: AbortSignal) => Promise<unknown>;
}

/** Returns the ways that this user may try, the best first. */
async function waysFor(user: User, signal: AbortSignal): Promise<readonly Way[]> {
  const isRoot = process.getuid?.() === 0;
  const programs = await findPrograms(signal);
  const privileges = { ...programs, capabilities: await findCapabilities(isRoot) };
  const isSame = user.uid === 0 && user.gid === 0 && user.groups.length === 0;
  const all: Omit<Confinement, 'by'> = {
    kind: 'sandbox',
    users: 'all',
    privileges,
    outside: isRoot ? [] : mapped,
  };
  const one: Omit<Confinement, 'by'> = {
    kind: 'sandbox',
    users: 'one',
    privileges: { ...programs, capabilities: await findCapabilities(false) },
    outside: alone,
  };
  const chroot: Way = isRoot
    ? { entrance: { kind: 'chroot', users: 'all' }, attempt: running(['unshare', '--root', '/', 'true']) }
    : {
        entrance: { kind: 'chroot', users: 'one' },
        attempt: running(['unshare', '--map-root-user', 'true']),
      };
  // Without setpriv, no program can become the user of the container.
  const sandboxes = privileges.setpriv !== null || isSame ? waysBy(all) : [];
  return isRoot ? [...sandboxes, chroot, ...waysBy(one)] : [...sandboxes, ...waysBy(one), chroot];
}

/** Returns the ways into a sandbox, by each program that makes one. */
function waysBy(given: Omit<Confinement, 'by'>): readonly Way[] {
  const { users, outside, privileges } = given;
  const options =
    users === 'all' ? ['--unshare-net', ...keepOnly(privileges.capabilities)] : ['--unshare-user'];
  const unshare: Confinement = { ...given, by: 'unshare' };
  return [
    { entrance: { ...given, by: 'bwrap' }, attempt: running([...outside, ...trialOf(options)]) },
    { entrance: unshare, attempt: (signal) => tryUnshare(unshare, signal) },
  ];
}

/** Returns a trial of bubblewrap. It runs `true` of this system: the root filesystem may not have any program. */
function trialOf(options: readonly string[]): readonly string[] {
  return ['bwrap', ...options, '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', 'true'];
}

function running([program = '', ...args]: readonly string[]): Way['attempt'] {
  return (signal) => promisify(execFile)(program, args, { signal });
}
