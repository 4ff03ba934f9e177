/**
 * The openings that replace a file: by such a call a program gets an empty file that it may write, whether there was one before or not.
 * `strace-effects.ts` asks for each opening that succeeded.
 */
import { type Target, hasOpenFlag } from './strace-calls.ts';
import type { ReturnedCall } from './strace-return.ts';
import { uses } from '../trace.ts';

/** The permissions without which a program could not open again what it has created: of the owner, to read and to write. */
const ownerMode = 0o600;

/**
 * Returns whether an opening that succeeded makes the file where it is missing, and empties it where it is there. `flags`: the argument with its
 * flags; null for none.
 */
export function replacesFile(returned: ReturnedCall, target: Target, flags: number | null): boolean {
  // creat(2), and not open_tree(2), which does not write.
  if (flags === null) return (target.uses & uses.write) !== 0 && isModeOfOwner(returned, target.path + 1);
  if (!returned.has(flags)) return false;
  const text = returned.text(flags);
  const has = (flag: Parameters<typeof hasOpenFlag>[1]): boolean => hasOpenFlag(text, flag);
  if (!has('O_CREAT') || !has('O_TRUNC') || has('O_PATH') || has('O_DIRECTORY')) return false;
  return (has('O_WRONLY') || has('O_RDWR')) && isModeOfOwner(returned, flags + 1);
}

/** Returns whether the mode of a new file, as strace writes it (0644), lets its owner read and write it. openat2(2) has it beside the flags. */
function isModeOfOwner(returned: ReturnedCall, index: number): boolean {
  const before = returned.has(index - 1) ? returned.text(index - 1) : '';
  const text = before.startsWith('{')
    ? (before.split('mode=', 2)[1] ?? '')
    : returned.has(index)
      ? returned.text(index)
      : '';
  const [, mode = '0'] = /^(0[0-7]{1,6})(?![0-9])/.exec(text) ?? [];
  return (Number.parseInt(mode, 8) & ownerMode) === ownerMode;
}
