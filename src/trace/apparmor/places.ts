/**
 * Places where names differ from run to run: of processes, of scratch files, of volumes. `path-patterns.ts` asks for the pattern that
 * stands for a name there.
 */
import type { ByteString } from '../../bytes/bytes.ts';
import { literally, procDirectory } from './file-rule.ts';

/** Directories of scratch files: in them, each program makes up names. */
const scratch: readonly (readonly string[])[] = [['tmp'], ['var', 'tmp'], ['dev', 'shm']];

/** Returns how many names of a path are those of the directory of scratch files that it is in; 0 for a path elsewhere. */
export function scratchDepth(names: readonly ByteString[]): number {
  const found = scratch.find(
    (directory) => names.length > directory.length && directory.every((name, i) => names[i] === name),
  );
  return found?.length ?? 0;
}

/** Words of letters and digits of a name. */
const words = /[A-Za-z0-9]+/g;
/** What mkstemp(3) puts in place of XXXXXX has this length; Python's tempfile has eight characters. */
const shortestRandom = 6;

/** Returns whether a name looks made up by a program: letters of several kinds together, or a number. For scratch files only. */
export function looksMadeUp(name: ByteString): boolean {
  return (name.match(words) ?? []).some((word) => {
    const end = word.slice(-shortestRandom);
    const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/].filter((kind) => kind.test(end)).length;
    return (end.length === shortestRandom && kinds > 1) || /[0-9]{3}/.test(word);
  });
}

/** Numbers and hexadecimal digits that are too long to have been chosen by a person. */
const numbers = /[0-9a-f]{8,}|[0-9]{4,}/g;

/** Writes a name, of a file that the run wrote, as a pattern in which long numbers stand for any: `core.*`. */
export function withoutNumbers(name: ByteString): string {
  let pattern = '';
  let end = 0;
  for (const found of name.matchAll(numbers)) {
    const digits = found[0] as string;
    // Letters from a to f alone may be a word, such as "deadbeef".
    if (!/[0-9]/.test(digits)) continue;
    pattern += `${literally(name.slice(end, found.index))}*`;
    end = found.index + digits.length;
  }
  return pattern + literally(name.slice(end));
}

const number = /^[0-9]+$/;

function isProcess(name: ByteString | undefined): boolean {
  return name === 'self' || name === 'thread-self' || (name !== undefined && number.test(name));
}

/** Returns the names of a path in which `/proc/PID/root` was followed: it leads to the root again. */
export function outOfProc(names: readonly ByteString[]): readonly ByteString[] {
  let rest = names;
  while (rest[0] === 'proc' && isProcess(rest[1]) && rest[2] === 'root') rest = rest.slice(3);
  return rest;
}

/** Writes a path below /proc: processes and threads have other numbers in each run, and `self` leads to one. */
export function procParts(names: readonly ByteString[]): readonly string[] {
  const [, process, ...rest] = names;
  if (!isProcess(process)) return [procDirectory, ...names.slice(1).map(literally)];
  const parts = rest.map((name, i) => {
    if (!number.test(name)) return literally(name);
    return i === 1 && rest[0] === 'task' ? '@{tid}' : '*';
  });
  return [procDirectory, '@{pid}', ...(process === 'thread-self' ? ['task', '@{tid}'] : []), ...parts];
}
