/** The ways into a root filesystem, as data. `find-entrance.ts` finds out which of them work here, and `launch.ts` takes one. */
import type { Privileges } from './privileged.ts';

/**
 * Ways into a root filesystem, the best first. `privileged` and `chroot` need root, and have all users. So does `privileged` of an ordinary
 * user in a namespace with the users that /etc/subuid gives to him: its words are `outside`.
 */
export type Entrance =
  | { readonly kind: 'privileged'; readonly privileges: Privileges; readonly outside: readonly string[] }
  | { readonly kind: 'bwrap'; readonly privileges: Privileges }
  | { readonly kind: 'unshare' }
  | { readonly kind: 'chroot' };

/** Makes a user root of a namespace of his own, in which further ones can be entered. */
export const alone: readonly string[] = ['unshare', '--map-root-user', '--'];

/** Returns the words before strace: those that enter the namespace of users in which all of the run happens. */
export function outsideOf(entrance: Entrance): readonly string[] {
  if (entrance.kind === 'privileged') return entrance.outside;
  return entrance.kind === 'bwrap' ? alone : [];
}

/** Makes an ordinary user root of a namespace that has the users of /etc/subuid (unshare(1), newuidmap(1)). */
export const mapped: readonly string[] = ['unshare', '--map-root-user', '--map-auto', '--'];
