import { type Path, quotePath } from '../../changeset/path.ts';
import type { Closure } from './closure.ts';

/** Why a path stays, a line for each step from the path to its root; empty for what goes. */
export function explain(closure: Closure, path: Path): readonly string[] {
  return closure.chain(path).map(({ path, rule, detail, because, strength }) => {
    const asker = because === null ? '' : `, for ${show(because)}`;
    const weakness = strength === 'needed' ? '' : ` (${strength})`;
    return `${show(path)}: ${rule}, ${detail}${asker}${weakness}`;
  });
}

/** Plain where that is safe: nearly always. */
function show(path: Path): string {
  if (path === '') return '/';
  return /^[\w./+@:~,=-]+$/.test(path) ? path : quotePath(path);
}
