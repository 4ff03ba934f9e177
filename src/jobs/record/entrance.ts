/** The ways into a root filesystem, as data. `find-entrance.ts` finds out which of them work here, and `launch.ts` takes one. */
import type { Privileges } from './privileged.ts';

export type Entrance = Confinement | Chroot;

/**
 * A sandbox: namespaces of its own, with nothing of this machine in them. `by` names the program that makes it.
 *
 * `users`: `all`, for root, and for an ordinary user in a namespace with the users that /etc/subuid gives him; or `one`, to whom every
 * file belongs.
 */
export interface Confinement {
  readonly kind: 'sandbox';
  readonly by: 'bwrap' | 'unshare';
  readonly users: 'all' | 'one';
  readonly privileges: Privileges;
  /** The words before strace: those that enter the namespace of users in which all of the run happens. */
  readonly outside: readonly string[];
}

/** Another root and nothing more: for root with all users, for an ordinary user with one. */
export interface Chroot {
  readonly kind: 'chroot';
  readonly users: 'all' | 'one';
}

/** Makes a user root of a namespace of his own, in which further ones can be entered. */
export const alone: readonly string[] = ['unshare', '--map-root-user', '--'];

/** Makes an ordinary user root of a namespace that has the users of /etc/subuid (unshare(1), newuidmap(1)). */
export const mapped: readonly string[] = ['unshare', '--map-root-user', '--map-auto', '--'];

/** Returns the words before strace. */
export function outsideOf(entrance: Entrance): readonly string[] {
  return entrance.kind === 'sandbox' ? entrance.outside : [];
}
