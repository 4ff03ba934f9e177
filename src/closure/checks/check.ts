import type { ByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import type { Closure, ClosureInput } from '../closure.ts';

/** What a check sees: an image before a pruning, what must stay of it, and what will not. */
export interface Check {
  readonly input: ClosureInput;
  readonly closure: Closure;
  /** Whether the file at a literal path is not in the result. Layers that are not rewritten keep files that rules name. */
  readonly isGone: (path: Path) => boolean;
}

/** `absent`: the image does not have the name. `gone`: a pruning removes the file, or a symlink on the way to it. */
export type Fate = 'absent' | 'gone' | 'stays';

/** Returns what happens to a name, which counts from the root. */
export function fateOf(name: ByteString, { input, isGone }: Check): Fate {
  const { path, links } = input.fs.resolve(name);
  if (path === null) return 'absent';
  return isGone(path) || links.some(isGone) ? 'gone' : 'stays';
}

/** Returns the words that the runtime executes: the entrypoint, else the command. */
export function mainCommand({ entrypoint, command }: ClosureInput['runtime']): readonly string[] {
  return entrypoint.length > 0 ? entrypoint : command;
}
