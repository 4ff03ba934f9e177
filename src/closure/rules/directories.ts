import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { type Path, parentOf, rootPath } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule } from '../rule.ts';

/** Runtimes mount over these, and programs write there without being seen to by every trace. */
const mountPoints: readonly Path[] = [
  rootPath`dev`,
  rootPath`proc`,
  rootPath`sys`,
  rootPath`run`,
  rootPath`tmp`,
  rootPath`var/tmp`,
  rootPath`var/run`,
];
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
/** Deeper directories are rather part of what somebody installed. */
const skeletonDepth = 4;

/** Directories that take up no room, and whose absence breaks what creates files in them. */
export const directories: ClosureRule = {
  name: 'directories',
  describe:
    'Directories, without their contents: mount points, empty ones, those of var, run, tmp, etc, home and the like, and those that a user other than root may write to.',
  *roots(context) {
    for (const path of mountPoints) yield { path, detail: ascii`a mount point` };
    for (const path of context.fs.all()) {
      if (context.fs.kind(path) !== 'directory') continue;
      const detail = reasonFor(path, context);
      if (detail !== null) yield { path, detail, strength: 'courtesy' };
    }
  },
};

function reasonFor(path: Path, { fs }: ClosureContext): ByteString | null {
  if (fs.children(path).next().done === true) return ascii`empty in the image`;
  if ((fs.mode(path) & 0o002) !== 0) return ascii`writable for all`;
  const parts = path.split('/');
  if (skeletons.has(parts[0] as string) && parts.length <= skeletonDepth) return ascii`part of the skeleton`;
  // Of a tree that somebody owns the top is enough: below it are the files of what is installed there.
  if (fs.uid(path) !== 0 && fs.uid(parentOf(path)) === 0) return ascii`not owned by root`;
  return null;
}
