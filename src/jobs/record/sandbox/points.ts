/**
 * Makes places in an unpacked root filesystem on which something can be mounted. The root is of an image, so that its symlinks are followed as a
 * program in it would, and never out of it. The process that unpacks calls this before anything of the image runs.
 */
import { lstatSync, mkdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OcislimError } from '../../../errors.ts';

/** The most symlinks that Linux follows in one walk (fs/namei.c, MAXSYMLINKS). */
const maxLinks = 40;

/** A place to mount something on. `mount`: a directory, in whose place no symlink may be. */
export interface Point {
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'mount';
}

/**
 * Makes a place if it is not there, and returns its path without symlinks, from the root on.
 * @throws UNSUPPORTED where something else is in its place
 */
export function makePoint(root: string, { path, kind }: Point): string {
  if (kind === 'mount') {
    const place = join(root, path);
    // A symlink would lead bubblewrap elsewhere.
    if (kindOf(place) !== 'directory') {
      rmSync(place, { force: true });
      mkdirSync(place);
    }
    return path;
  }
  const left = path.split('/').reverse();
  let at: string[] = [];
  for (let links = 0; left.length > 0; ) {
    const name = left.pop() ?? '';
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at.pop();
      continue;
    }
    const place = `${root}/${[...at, name].join('/')}`;
    const found = kindOf(place);
    if (found === 'symlink') {
      if (++links > maxLinks) throw wrong(path, 'it leads through too many symbolic links');
      const target = readlinkSync(place);
      if (target.startsWith('/')) at = [];
      for (const each of target.split('/').reverse()) left.push(each);
      continue;
    }
    const isFile = kind === 'file' && left.every((part) => part === '' || part === '.');
    if (found === null && isFile) writeFileSync(place, '', { flag: 'wx' });
    else if (found === null) mkdirSync(place);
    else if ((found === 'file') !== isFile) throw wrong(path, `there is a ${found} in its place`);
    at.push(name);
  }
  return `/${at.join('/')}`;
}

function kindOf(place: string): 'directory' | 'file' | 'symlink' | null {
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (found.isSymbolicLink()) return 'symlink';
  return found.isDirectory() ? 'directory' : 'file';
}

function wrong(path: string, why: string): OcislimError {
  return new OcislimError(
    'UNSUPPORTED',
    `nothing can be mounted at ${JSON.stringify(path)} of the image: ${why}`,
  );
}
