import type { ByteString } from '../../bytes/bytes.ts';
import { join, type Path } from '../../bytes/path.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';

/** Yields those of these paths that the image has. Paths are literal. */
export function* present(fs: Filesystem, paths: Iterable<Path>): Generator<Path> {
  for (const path of paths) if (fs.kind(path) !== null) yield path;
}

/** Yields the paths of those of these names, relative to a directory, that the image has. */
export function* presentIn(fs: Filesystem, directory: Path, names: Iterable<ByteString>): Generator<Path> {
  for (const name of names) yield* present(fs, [join(directory, name)]);
}
