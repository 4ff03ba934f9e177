import type { Path } from '../bytes/path.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import { oncePer } from '../rootfs/once-per.ts';

/** Returns all symlinks of an image by the file that they lead to in the end, sorted. */
export const reverseSymlinks = oncePer((fs: Filesystem): ReadonlyMap<Path, readonly Path[]> => {
  const index = new Map<Path, Path[]>();
  for (const link of fs.all()) {
    if (fs.kind(link) !== 'symlink') continue;
    const { path } = fs.resolve(link);
    if (path === null) continue;
    const links = index.get(path);
    if (links === undefined) index.set(path, [link]);
    else links.push(link);
  }
  return index;
});
