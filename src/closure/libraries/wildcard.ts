import type { ByteString } from '../../bytes/bytes.ts';

/**
 * Returns whether a name matches a pattern with `*` and `?`. It goes back to the last `*` only, so that it takes at most the product of
 * both lengths, whatever the pattern.
 */
export function matchesWildcard(name: ByteString, pattern: ByteString): boolean {
  let at = 0;
  let i = 0;
  /** The last `*`, and the first byte of the name that comes behind what it stands for. */
  let star = -1;
  let after = 0;
  while (i < name.length) {
    if (pattern[at] === '*') {
      star = at++;
      after = i;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++after;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
