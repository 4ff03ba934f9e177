import { userInfo } from 'node:os';
import { isAbsolute } from 'node:path';

/**
 * Finds the home directory; null for a user without `HOME` and without an entry in the user database, as containers often have it.
 * A relative path counts as none: a folder of a checkout must not pass for the user's own.
 */
export function homeOf(env: Readonly<Record<string, string | undefined>>): string | null {
  const home = env['HOME'] || entry();
  return home !== null && isAbsolute(home) ? home : null;
}

/** Reads the user database. A user without an entry makes Node throw. */
function entry(): string | null {
  try {
    return userInfo().homedir;
  } catch {
    return null;
  }
}
