import type { Path } from '../../bytes/path.ts';
import { oncePer } from '../../rootfs/once-per.ts';
import type { ClosureContext } from '../rule.ts';

/**
 * Returns whether a path makes its package or directory stay. Only needed files do. Directories do not, nor do links to them such as `/lib`:
 * they belong to the whole system.
 */
export function spreads(path: Path, context: ClosureContext): boolean {
  if (context.strengthOf(path) !== 'needed') return false;
  const { fs } = context;
  const kind = fs.kind(path);
  if (kind !== 'symlink') return kind !== 'directory';
  const { path: target } = fs.resolve(path);
  return target === null || fs.kind(target) !== 'directory';
}

/** What a rule has done already, in each closure. Rules are constants, and have no state of their own. */
export class PerClosure<T> {
  /** The items of one closure. */
  readonly of = oncePer<ClosureContext, Set<T>>(() => new Set());

  /** Returns whether an item is new in this closure. The next call for it returns false. */
  isNew(item: T, context: ClosureContext): boolean {
    const items = this.of(context);
    if (items.has(item)) return false;
    items.add(item);
    return true;
  }
}
