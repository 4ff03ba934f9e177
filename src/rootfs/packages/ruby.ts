import { ascii } from '../../bytes/bytes.ts';
import type { Filesystem } from '../filesystem.ts';
import { baseOf, join, type Path, parentOf, root } from '../../bytes/path.ts';
import type { Package, PackageDatabase } from './package.ts';

/** "nokogiri-1.16.0-x86_64-linux": the version is the first part that starts with a digit. */
const gemName = /^(.+?)-(\d[^-]*)(?:-|$)/;

/**
 * Gems, which RubyGems lays out without a database: for `specifications/NAME.gemspec`, the gem is below `gems/NAME` beside it, and
 * what was compiled for it below `extensions/PLATFORM/ABI/NAME`. Default gems have no directory: their files belong to Ruby.
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

/** Returns the gems by their directory in `gems`, each with its specification as its first file. */
function findGems(fs: Filesystem): ReadonlyMap<Path, Path[]> {
  const gems = new Map<Path, Path[]>();
  for (const path of fs.all()) {
    if (!path.endsWith('.gemspec') || baseOf(parentOf(path)) !== 'specifications') continue;
    const name = baseOf(path).slice(0, -'.gemspec'.length);
    gems.set(join(parentOf(parentOf(path)), ascii`gems/${name}`), [path]);
  }
  return gems;
}

/** Returns the directory in `gems` that a directory in `extensions` belongs to; null for any other path. */
function compiledFor(path: Path): Path | null {
  const extensions = parentOf(parentOf(parentOf(path)));
  return baseOf(extensions) === 'extensions' ? join(parentOf(extensions), ascii`gems/${baseOf(path)}`) : null;
}

function makePackage(root: Path, files: Path[]): Package {
  const [, name = baseOf(root), version = null] = baseOf(root).match(gemName) ?? [];
  return { kind: 'ruby', name, version, files: files.sort() };
}
