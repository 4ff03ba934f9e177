import type { Bill } from '../analyze/bill.ts';
import { quotePath } from '../bytes/path.ts';
import type { Listener } from '../events.ts';

/** Warns of each package database whose components are missing in a bill. */
export function warnOfUnread({ unread }: Bill, listener: Listener): void {
  for (const { path, why } of unread)
    listener({
      type: 'warning',
      code: 'PACKAGES_UNREAD',
      message: `the package database ${quotePath(path)} cannot be read: ${why}`,
    });
}
