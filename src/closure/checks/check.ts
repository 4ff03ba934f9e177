import { ascii, type ByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import type { Closure, ClosureInput } from '../closure.ts';

/** What a check sees: an image before a pruning, what must stay of it, and what will not. */
export interface Check {
  readonly input: ClosureInput;
  readonly closure: Closure;
  /** Whether the file at a literal path is not in the result. Layers that are not rewritten keep files that rules name. */
  readonly isGone: (path: Path) => boolean;
}

/** What is needed of a check to follow names. */
export type FilesCheck = Pick<Check, 'isGone'> & { readonly input: Pick<ClosureInput, 'fs'> };

/** `absent`: the image does not have the name. `gone`: a pruning removes the file, or a symlink on the way to it. */
export type Fate = 'absent' | 'gone' | 'stays';

/** Returns what happens to a name, which counts from the root. */
export function fateOf(name: ByteString, { input, isGone }: FilesCheck): Fate {
  const { path, links } = input.fs.resolve(name);
  if (path === null) return 'absent';
  return isGone(path) || links.some(isGone) ? 'gone' : 'stays';
}

/** Returns the words that the runtime executes: the entrypoint, else the command. */
export function mainCommand({ entrypoint, command }: ClosureInput['runtime']): readonly string[] {
  return entrypoint.length > 0 ? entrypoint : command;
}

/** Returns the commands that the config names, each as its words, with what they are. */
export function namedCommands(
  runtime: ClosureInput['runtime'],
): readonly { readonly words: readonly string[]; readonly what: ByteString }[] {
  return [
    { words: runtime.entrypoint, what: ascii`the entrypoint` },
    { words: runtime.command, what: ascii`the command` },
    { words: healthCommand(runtime), what: ascii`the health check` },
  ];
}

/** Returns the words that the runtime executes for the health check (Docker, "HEALTHCHECK"); none without one. */
export function healthCommand({
  healthcheck: [kind, ...test],
  shell,
}: ClosureInput['runtime']): readonly string[] {
  if (kind === 'CMD') return test;
  return kind === 'CMD-SHELL' ? [...(shell.length > 0 ? shell : ['/bin/sh', '-c']), test.join(' ')] : [];
}
