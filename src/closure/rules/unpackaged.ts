/**
 * The rule for files that belong to no package: with the granularity `package` or `directory`, one needed file keeps the tree that it
 * was copied into the image with. `all.ts` lists it behind the rule for packages.
 */
import { ascii, type ByteString, joinBytes } from '../../bytes/bytes.ts';
import { type Path, cleanPath } from '../../bytes/path.ts';
import { packageProbe, packagesOf } from '../../rootfs/packages/package-index.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { PerClosure, spreads } from './spreading.ts';

/** Trees whose files were kept. */
const whole = new PerClosure<Path>();

/** The top directories of systems. They are not trees of their own. */
const system: ReadonlySet<string> = new Set(
  'bin boot dev etc lib lib32 lib64 libx32 media mnt proc root run sbin sys tmp usr var'.split(' '),
);

/** Places whose directories were each copied as a whole. The depth is that of the tree: 2 for opt/NAME. */
const shelves: readonly (readonly [place: RegExp, depth: number])[] = [
  [/^(?:opt|srv)\//, 2],
  [/^home\/[^/]+\//, 3],
  [/^root\//, 2],
  [/^var\/www\//, 2],
  [/^usr\/src\//, 3],
  [/^usr\/local\/(?:lib|lib64|libexec|share|src|etc)\//, 4],
];

/**
 * An application, or a language that was built from source, is copied into an image as a whole and belongs to no package. Requests
 * that the trace did not see need other files of it.
 */
export const unpackagedRule: ClosureRule = {
  name: 'unpackaged',
  describe:
    'With the granularity `package` or `directory`: for a needed file that belongs to no package, its tree (`/app`, `/opt/NAME`, `/srv/NAME`, `/usr/local/lib/NAME`, …), without the packages in it.',
  reads: packageProbe,
  *follow(path, context) {
    if (context.granularity === 'file' || !spreads(path, context)) return;
    yield* treeNeeds(path, ascii`is in no package`, context);
  },
};

/** Yields the tree that a file was copied with, once, without the packages in it; nothing for a file of a package. */
export function* treeNeeds(path: Path, why: ByteString, context: ClosureContext): Generator<Need> {
  const packages = packagesOf(context);
  const tree = treeOf(path);
  if (tree === null || packages.ownersOf(path).length > 0 || !whole.isNew(tree, context)) return;
  const detail = ascii`${why}, beside ${path} in ${tree}`;
  for (const file of context.fs.below(tree))
    if (context.fs.kind(file) !== 'directory' && packages.ownersOf(file).length === 0)
      yield { path: file, detail, strength: 'whole', itself: true };
}

/** Returns the tree that a file was copied with; null where its path does not tell. */
export function treeOf(path: Path): Path | null {
  const parts = path.split('/');
  const shelf = shelves.find(([place]) => place.test(path));
  const depth = shelf?.[1] ?? (system.has(parts[0] as string) || parts[0] === 'home' ? 0 : 1);
  return depth === 0 || parts.length <= depth ? null : cleanPath(joinBytes(parts.slice(0, depth), '/'));
}
