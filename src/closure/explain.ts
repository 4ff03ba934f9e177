import { ascii, noBytes, type ByteString, asByteString } from '../bytes/bytes.ts';
import type { Path } from '../bytes/path.ts';
import type { Closure } from './closure.ts';

/**
 * Returns why a path stays, with a line for each step from the path to its root; empty for a path that goes. The lines hold names as
 * bytes of the image, which the caller escapes.
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
