import type { ByteString } from '../bytes/bytes.ts';
import type { TracedPath } from './trace.ts';

const slash = 0x2f;
const dot = 0x2e;

/** What Linux takes for a path (PATH_MAX) and for one name in it (NAME_MAX), in bytes. */
const longestPath = 4096;
const longestName = 255;

/** The directory that a program was started in, where nothing says which that was. */
export const started: TracedPath = '.';

/**
 * A path as a program wrote it, below the directory that it is relative to. `..` stays, since only the image can tell where
 * it leads. The root itself is ''. Null for what no system call can name: NUL bytes, too long.
 */
export function tracedPath(directory: TracedPath, path: ByteString): TracedPath | null {
  const absolute = path.charCodeAt(0) === slash;
  const start = absolute ? 1 : 0;
  if (!isPlain(path, start)) {
    if (path.includes('\0')) return null;
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    if (names.some((name) => name.length > longestName)) return null;
    return join(absolute ? '' : directory, names.join('/'));
  }
  return join(absolute ? '' : directory, start === 0 ? path : path.slice(start));
}

function join(directory: TracedPath, rest: ByteString): TracedPath | null {
  const joined = directory === '' ? rest : rest === '' ? directory : `${directory}/${rest}`;
  if (joined.length <= longestPath) return joined;
  // A program that goes up and down for long: here, text is the best guess. Where it started is no name to go up from.
  const collapsed = collapse(joined);
  return collapsed.length <= longestPath ? collapsed : null;
}

function collapse(path: TracedPath): TracedPath {
  const names: string[] = [];
  for (const name of path.split('/')) {
    const last = names.at(-1);
    if (name !== '..' || last === started || last === '..') names.push(name);
    else names.pop();
  }
  return names.join('/');
}

/** Has it nothing but names with single slashes between them, none too long, none of them `.`? */
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

/** What is left of a path below a directory; null outside of it. */
export function below(directory: TracedPath, path: TracedPath): TracedPath | null {
  if (directory === '') return path;
  if (!path.startsWith(directory)) return null;
  if (path.length === directory.length) return '';
  return path.charCodeAt(directory.length) === slash ? path.slice(directory.length + 1) : null;
}
