/**
 * Makes paths as programs write them into `TracedPath`s. Every format does so through the sink, and strace also for the
 * directories of its processes.
 */
import { type ByteString, ascii, joinBytes, noBytes } from '../bytes/bytes.ts';
import type { TracedPath } from './trace.ts';

const slash = 0x2f;
const dot = 0x2e;

/** The most bytes of a path (PATH_MAX) and of one name in it (NAME_MAX) on Linux. */
const longestPath = 4096;
const longestName = 255;

/** The directory in which a program was started, where the trace does not tell it. */
export const started: TracedPath = ascii`.`;

/**
 * Returns a path as a program wrote it, below the directory that it is relative to. `..` stays, since only the image can tell
 * where it leads. The root itself is ''. Null for text that no system call takes as a path: with NUL bytes, or too long.
 */
export function tracedPath(directory: TracedPath, path: ByteString): TracedPath | null {
  const absolute = path.charCodeAt(0) === slash;
  const start = absolute ? 1 : 0;
  if (!isPlain(path, start)) {
    if (path.includes('\0')) return null;
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    if (names.some((name) => name.length > longestName)) return null;
    return join(absolute ? noBytes : directory, joinBytes(names, '/'));
  }
  return join(absolute ? noBytes : directory, start === 0 ? path : path.slice(start));
}

function join(directory: TracedPath, rest: ByteString): TracedPath | null {
  const joined = directory === '' ? rest : rest === '' ? directory : ascii`${directory}/${rest}`;
  if (joined.length <= longestPath) return joined;
  // A program went up and down many times. Without the image, resolving `..` as text is the best guess.
  const collapsed = collapse(joined);
  return collapsed.length <= longestPath ? collapsed : null;
}

/** Resolves `..` as text, but not from where the program was started, which is not a name. */
function collapse(path: TracedPath): TracedPath {
  const names: ByteString[] = [];
  for (const name of path.split('/')) {
    const last = names.at(-1);
    if (name !== '..' || last === started || last === '..') names.push(name);
    else names.pop();
  }
  return joinBytes(names, '/');
}

/** Returns whether a path consists of names that are not too long and not `.`, with single slashes between them. */
function isPlain(path: ByteString, start: number): boolean {
  let name = start;
  for (let i = start; i <= path.length; i++) {
    const unit = i === path.length ? slash : path.charCodeAt(i);
    if (unit === 0) return false;
    if (unit !== slash) continue;
    const length = i - name;
    if (length === 0 || length > longestName || (length === 1 && path.charCodeAt(name) === dot)) return false;
    name = i + 1;
  }
  return true;
}

/** Returns a path relative to a directory; null for a path outside of it. */
export function below(directory: TracedPath, path: TracedPath): TracedPath | null {
  if (directory === '') return path;
  if (!path.startsWith(directory)) return null;
  if (path.length === directory.length) return noBytes;
  return path.charCodeAt(directory.length) === slash ? path.slice(directory.length + 1) : null;
}
