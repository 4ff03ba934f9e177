import type { Path } from '../../../changeset/path.ts';
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

/** What rules have done, in each of the closures that are under way: things that are done once. */
export class DoneOnce<T extends object | string> {
  readonly #done = new WeakMap<ClosureContext, Set<T>>();

  /** Is it the first time that this closure asks for `thing`? */
  isFirst(context: ClosureContext, thing: T): boolean {
    let done = this.#done.get(context);
    if (done === undefined) {
      done = new Set();
      this.#done.set(context, done);
    }
    if (done.has(thing)) return false;
    done.add(thing);
    return true;
  }
}
