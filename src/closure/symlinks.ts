import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Path } from '../bytes/path.ts';

const indexes = new WeakMap<Filesystem, ReadonlyMap<Path, readonly Path[]>>();

/** Returns all symlinks of an image by the file that they lead to in the end, sorted. It is computed once for a filesystem. */
export function reverseSymlinks(fs: Filesystem): ReadonlyMap<Path, readonly Path[]> {
  const known = indexes.get(fs);
  if (known !== undefined) return known;
  const index = new Map<Path, Path[]>();
  for (const link of fs.all()) {
    if (fs.kind(link) !== 'symlink') continue;
    const { path } = fs.resolve(link);
    if (path === null) continue;
    const links = index.get(path);
    if (links === undefined) index.set(path, [link]);
    else links.push(link);
  }
  indexes.set(fs, index);
  return index;
}
