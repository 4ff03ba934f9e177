import { ascii, noBytes, type ByteString, asByteString } from '../bytes/bytes.ts';
import type { Path } from '../bytes/path.ts';
import type { Closure } from './closure.ts';

/**
 * Why a path stays, a line for each step from the path to its root; empty for what goes. The names in it are bytes as the
 * image has them: whoever shows them escapes them.
 */
export function explain(closure: Closure, path: Path): readonly ByteString[] {
  return closure.chain(path).map(({ path, rule, detail, because, strength }) => {
    const asker = because === null ? noBytes : ascii`, for ${show(because)}`;
    const weakness = strength === 'needed' ? noBytes : ascii` (${asByteString(strength)})`;
    return ascii`${show(path)}: ${asByteString(rule)}, ${detail}${asker}${weakness}`;
  });
}

function show(path: Path): ByteString {
  return path === '' ? ascii`/` : path;
}
