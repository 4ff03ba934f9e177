import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Path } from '../bytes/path.ts';
import { type Trace, type Uses, uses } from '../trace/trace.ts';

/** What a trace says about the paths of an image. */
export interface TracedFiles {
  /** By path, free of symlinks; of a symlink that was meant itself, the link. */
  readonly uses: ReadonlyMap<Path, Uses>;
  /** Traced names that are in the image, and are no directories: directories have the same names everywhere. */
  readonly found: number;
}

/** Looks every traced name up in the image. */
export function findTraced(fs: Filesystem, trace: Trace): TracedFiles {
  const found = new Map<Path, Uses>();
  let files = 0;
  const add = (path: Path | null, bits: Uses): void => {
    if (path !== null && bits !== 0) found.set(path, (found.get(path) ?? 0) | bits);
  };
  for (const [name, bits] of trace.paths) {
    const itself = fs.resolve(name, { follow: false }).path;
    const isLink = itself !== null && fs.kind(itself) === 'symlink';
    if (itself !== null && fs.kind(itself) !== 'directory') files++;
    if (!isLink) {
      add(itself, bits);
      continue;
    }
    add(itself, bits & uses.link);
    add(fs.resolve(name).path, bits & ~uses.link);
  }
  return { uses: found, found: files };
}
