import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Path } from '../bytes/path.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import { addUses, type Trace, type Uses, uses } from '../trace/trace.ts';

/** What a trace tells about the paths of an image. */
export interface TracedFiles {
  /** Uses by path, with symlinks resolved. Uses of a symlink itself are at the path of the symlink. */
  readonly uses: ReadonlyMap<Path, Uses>;
  /** Number of traced names that are files in the image. Directories do not count: they have the same names in all images. */
  readonly found: number;
}

/** Looks up every traced name in the image. */
export function* tracedSteps(fs: Filesystem, trace: Trace): Steps<TracedFiles> {
  const found = new Map<Path, Uses>();
  let files = 0;
  const add = (path: Path | null, bits: Uses): void => {
    // A call that failed does not use a file, and does not make its package stay.
    const used = bits & ~(uses.fail | uses.failLink);
    if (path !== null && used !== 0) addUses(found, path, used);
  };
  let seen = 0;
  for (const [name, bits] of trace.paths) {
    if (++seen % itemsPerStep === 0) yield;
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
