import { type Path, quotePath } from '../../bytes/path.ts';
import type { Closure } from '../closure.ts';
import type { Problem } from '../problem.ts';
import { type Check, fateOf } from './check.ts';

/**
 * Checks that no symlink breaks that is needed, or that stays since its layer is not rewritten. Other symlinks stay for
 * completeness only, and may lose a target that a rule names.
 */
export function* checkSymlinks(check: Check): Generator<Problem> {
  const { closure, input, isGone } = check;
  for (const link of input.fs.all()) {
    if (input.fs.kind(link) !== 'symlink' || isGone(link)) continue;
    if (!isNeededOrUnknown(link, closure)) continue;
    const { path } = input.fs.resolve(link);
    if (path === null || !isNeededOrUnknown(path, closure) || fateOf(link, check) === 'stays') continue;
    yield {
      kind: 'symlink',
      path: link,
      sentence: `the symlink ${quotePath(link)} would lead nowhere: its target ${quotePath(path)} would be gone`,
    };
  }
}

function isNeededOrUnknown(path: Path, closure: Closure): boolean {
  const strength = closure.strengthOf(path);
  return strength === 'needed' || strength === null;
}
