import type { Path } from '../../bytes/path.ts';
import type { ClosureContext } from '../rule.ts';

/**
 * Does what stays here make its package or directory stay? Only what is needed itself does, and only files: directories,
 * and links to them such as `/lib`, belong to whole systems.
 */
export function spreads(path: Path, context: ClosureContext): boolean {
  if (context.strengthOf(path) !== 'needed') return false;
  const { fs } = context;
  const kind = fs.kind(path);
  if (kind !== 'symlink') return kind !== 'directory';
  const { path: target } = fs.resolve(path);
  return target === null || fs.kind(target) !== 'directory';
}

/** A set for each closure that is under way: what a rule has done already, since rules themselves know nothing. */
export class PerClosure<T> {
  readonly #sets = new WeakMap<ClosureContext, Set<T>>();

  of(context: ClosureContext): Set<T> {
    let set = this.#sets.get(context);
    if (set === undefined) {
      set = new Set();
      this.#sets.set(context, set);
    }
    return set;
  }
}
