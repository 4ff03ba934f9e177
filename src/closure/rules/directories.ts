import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { type Path, parentOf, rootPath } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule } from '../rule.ts';

/** Directories that runtimes mount over, and that programs write to without each trace showing it. */
const mountPoints: readonly Path[] = [
  rootPath`dev`,
  rootPath`proc`,
  rootPath`sys`,
  rootPath`run`,
  rootPath`tmp`,
  rootPath`var/tmp`,
  rootPath`var/run`,
];
/** The top directories of data, whose own directories programs expect. */
const skeletons: ReadonlySet<string> = new Set([
  'etc',
  'home',
  'media',
  'mnt',
  'root',
  'run',
  'srv',
  'tmp',
  'var',
]);
/** Deeper directories mostly belong to installed software. */
const skeletonDepth = 4;

/** Directories take up no space. Without them, programs fail that create files in them. */
export const directoriesRule: ClosureRule = {
  name: 'directories',
  describe:
    'Directories without their contents: mount points, empty directories, those in var, run, tmp, etc, home and the like, and those that a user other than root can write to.',
  *roots(context) {
    for (const path of mountPoints) yield { path, detail: ascii`a mount point` };
    for (const path of context.fs.all()) {
      if (context.fs.kind(path) !== 'directory') continue;
      const detail = reasonFor(path, context);
      if (detail !== null) yield { path, detail, strength: 'courtesy' };
    }
  },
};

/** Returns why a directory stays; null for one without a reason. */
function reasonFor(path: Path, { fs }: ClosureContext): ByteString | null {
  if (fs.children(path).next().done === true) return ascii`empty in the image`;
  if ((fs.mode(path) & 0o002) !== 0) return ascii`writable for all`;
  const parts = path.split('/');
  if (skeletons.has(parts[0] as string) && parts.length <= skeletonDepth) return ascii`part of the skeleton`;
  // Of a tree with another owner, the top is enough: the files below it belong to installed software.
  if (fs.uid(path) !== 0 && fs.uid(parentOf(path)) === 0) return ascii`not owned by root`;
  return null;
}
