import { ascii } from '../../bytes/bytes.ts';
import type { Filesystem } from '../filesystem.ts';
import { baseOf, join, type Path, parentOf, root } from '../../bytes/path.ts';
import type { Package, PackageDatabase } from './package.ts';

/** "nokogiri-1.16.0-x86_64-linux": the version is what first looks like one. */
const gemName = /^(.+?)-(\d[^-]*)(?:-|$)/;

/**
 * Gems need no database either: where `specifications` has NAME.gemspec, the gem is what is below `gems/NAME` beside it, and
 * what was compiled for it below `extensions/PLATFORM/ABI/NAME`. Default gems have no directory: they belong to Ruby.
 */
export const ruby: PackageDatabase = {
  kind: 'ruby',
  reads: () => 0,
  read(fs) {
    const gems = findGems(fs);
    let inside: { readonly start: string; readonly files: Path[] } | null = null;
    for (const path of fs.all()) {
      if (inside !== null && path.startsWith(inside.start)) {
        if (fs.kind(path) !== 'directory') inside.files.push(path);
        continue;
      }
      const files = gems.get(path) ?? gems.get(compiledFor(path) ?? root);
      inside = files === undefined ? null : { start: `${path}/`, files };
    }
    return { packages: [...gems].map(([root, files]) => makePackage(root, files)), unread: [] };
  },
};

/** The files of each gem by its directory in `gems`, its specification at first. */
function findGems(fs: Filesystem): ReadonlyMap<Path, Path[]> {
  const gems = new Map<Path, Path[]>();
  for (const path of fs.all()) {
    if (!path.endsWith('.gemspec') || baseOf(parentOf(path)) !== 'specifications') continue;
    const name = baseOf(path).slice(0, -'.gemspec'.length);
    gems.set(join(parentOf(parentOf(path)), ascii`gems/${name}`), [path]);
  }
  return gems;
}

/** The directory in `gems` that belongs to one in `extensions`. */
function compiledFor(path: Path): Path | null {
  const extensions = parentOf(parentOf(parentOf(path)));
  return baseOf(extensions) === 'extensions' ? join(parentOf(extensions), ascii`gems/${baseOf(path)}`) : null;
}

function makePackage(root: Path, files: Path[]): Package {
  const [, name = baseOf(root), version = null] = baseOf(root).match(gemName) ?? [];
  return { kind: 'ruby', name, version, files: files.sort() };
}
