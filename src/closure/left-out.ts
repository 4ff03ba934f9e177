import type { Path } from '../bytes/path.ts';
import { uses } from '../trace/trace.ts';
import type { Closure, ClosureInput } from './closure.ts';
import { isAlwaysListed } from './rules/always-listed.ts';

/** A directory that the trace saw listed, and of which not all entries stay. */
export interface LeftOut {
  readonly path: Path;
  /** Number of entries that go, with what is in directories of which nothing stays. */
  readonly entries: number;
  /** Bytes of the files among them. */
  readonly bytes: number;
}

/** Returns the listed directories whose entries do not all stay, without those that interpreters always list; most bytes first. */
export function leftOutOf(input: ClosureInput, closure: Closure): readonly LeftOut[] {
  const found: LeftOut[] = [];
  for (const path of closure.paths()) {
    if ((closure.usesOf(path) & uses.list) === 0 || input.fs.kind(path) !== 'directory') continue;
    if (isAlwaysListed(path, input)) continue;
    const { entries, bytes } = goingOf(path, input, closure);
    if (entries > 0) found.push({ path, entries, bytes });
  }
  return found.sort((a, b) => b.bytes - a.bytes || b.entries - a.entries);
}

/** Counts the entries of a directory that go, and what is in those of which nothing stays. */
function goingOf(directory: Path, { fs }: ClosureInput, closure: Closure): Omit<LeftOut, 'path'> {
  let entries = 0;
  let bytes = 0;
  const count = (path: Path): void => {
    entries++;
    if (fs.kind(path) === 'file') bytes += fs.size(path);
  };
  for (const entry of fs.children(directory)) {
    if (fs.kind(entry) !== 'directory') {
      if (!closure.isKept(entry)) count(entry);
      continue;
    }
    const inside = [...fs.below(entry)];
    if (!inside.some((path) => closure.isKept(path))) inside.forEach(count);
  }
  return { entries, bytes };
}
