/** Lists the files of an image for the report of `slim --creport` (`trace/creport-file.ts`). */
import type { Path } from '../../bytes/path.ts';
import type { Filesystem, NodeKind } from '../../rootfs/filesystem.ts';
import type { ReportedFile } from '../../trace/creport-file.ts';

/**
 * Yields every file of an image except its directories, sorted by path parts. SlimToolkit lists files and symlinks only, and takes
 * a directory in a report as an order to keep everything below it (--include-paths-creport-file).
 */
export function* reportedFiles(fs: Filesystem): Generator<ReportedFile> {
  for (const path of fs.all()) {
    const kind = fs.kind(path);
    if (kind === null || kind === 'directory') continue;
    const target = fs.target(path);
    yield {
      path,
      kind,
      // Linux gives every symlink these, whatever its entry says.
      mode: kind === 'symlink' ? 0o777 : fs.mode(path),
      size: sizeOf(fs, path, kind),
      uid: fs.uid(path),
      gid: fs.gid(path),
      target,
      sha1: null,
    };
  }
}

/** Returns the size of a file as lstat(2) has it: of a symlink the bytes of its target, of a device 0. */
function sizeOf(fs: Filesystem, path: Path, kind: NodeKind): number {
  return kind === 'symlink' ? (fs.target(path)?.length ?? 0) : kind === 'file' ? fs.length(path) : 0;
}
