import { ascii, joinBytes } from '../../bytes/bytes.ts';
import { type Path, cleanPath } from '../../bytes/path.ts';
import { packageProbe, packagesOf } from '../../rootfs/packages/package-index.ts';
import type { ClosureRule } from '../rule.ts';
import { PerClosure, spreads } from './spreading.ts';

/** Trees that stay whole by now. */
const whole = new PerClosure<Path>();

/** Where systems put their own: what is in no package there is no tree of its own. */
const system: ReadonlySet<string> = new Set(
  'bin boot dev etc lib lib32 lib64 libx32 media mnt proc root run sbin sys tmp usr var'.split(' '),
);

/** Below these, each directory is what somebody put there as one: at this depth. */
const shelves: readonly (readonly [place: RegExp, depth: number])[] = [
  [/^(?:opt|srv)\//, 2],
  [/^home\/[^/]+\//, 3],
  [/^root\//, 2],
  [/^var\/www\//, 2],
  [/^usr\/src\//, 3],
  [/^usr\/local\/(?:lib|lib64|libexec|share|src|etc)\//, 4],
];

/**
 * What was copied into an image belongs to no package: an application, or a language built from source. It was put there
 * as a whole, and other requests find other files of it.
 */
export const unpackagedRule: ClosureRule = {
  name: 'unpackaged',
  describe:
    'With granularity `package` or `directory`: where a file that belongs to no package is needed, its tree (`/app`, `/opt/NAME`, `/srv/NAME`, `/usr/local/lib/NAME`, …) stays, less the packages in it, of which each is asked for itself.',
  reads: packageProbe,
  *follow(path, context) {
    if (context.granularity === 'file' || !spreads(path, context)) return;
    const packages = packagesOf(context);
    if (packages.ownersOf(path).length > 0) return;
    const tree = treeOf(path);
    if (tree === null) return;
    const done = whole.of(context);
    if (done.has(tree)) return;
    done.add(tree);
    const detail = ascii`is in no package, as ${path}, and beside it in ${tree}`;
    for (const file of context.fs.below(tree))
      if (context.fs.kind(file) !== 'directory' && packages.ownersOf(file).length === 0)
        yield { path: file, detail, strength: 'whole', itself: true };
  },
};

/** The tree that a file was put into an image with; null where there is no telling. */
export function treeOf(path: Path): Path | null {
  const parts = path.split('/');
  const shelf = shelves.find(([place]) => place.test(path));
  const depth = shelf?.[1] ?? (system.has(parts[0] as string) || parts[0] === 'home' ? 0 : 1);
  return depth === 0 || parts.length <= depth ? null : cleanPath(joinBytes(parts.slice(0, depth), '/'));
}
