/**
 * Finds gems by their specifications. `package-index.ts` reads it beside the databases of other package managers.
 */
import { ascii, readByteString, utf8Text } from '../../bytes/bytes.ts';
import { MiB } from '../../units.ts';
import type { Filesystem } from '../filesystem.ts';
import { baseOf, join, type Path, parentOf, root } from '../../bytes/path.ts';
import type { FileFacts } from '../facts/facts.ts';
import { noDetails, type Package, type PackageDatabase, type PackageDetails } from './package.ts';

/** "nokogiri-1.16.0-x86_64-linux": the version is the first part that starts with a digit, and the platform what follows it. */
const gemName = /^(.+?)-(\d[^-]*)(?:-(.+))?$/;

/** The most bytes of a specification that are read. */
const largestSpecification = MiB;

function isSpecification(path: Path): boolean {
  return path.endsWith('.gemspec') && baseOf(parentOf(path)) === 'specifications';
}

/**
 * Gems, which RubyGems lays out without a database: for `specifications/NAME.gemspec`, the gem is below `gems/NAME` beside it, and
 * what was compiled for it below `extensions/PLATFORM/ABI/NAME`. Default gems have no directory: their files belong to Ruby.
 */
export const ruby: PackageDatabase = {
  kind: 'ruby',
  reads: () => 0,
  describes: (path) => (isSpecification(path) ? largestSpecification : 0),
  read(fs, facts) {
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
    return { packages: [...gems].map(([root, files]) => makePackage(root, files, facts)), unread: [] };
  },
};

/** Returns the gems by their directory in `gems`, each with its specification as its first file. */
function findGems(fs: Filesystem): ReadonlyMap<Path, Path[]> {
  const gems = new Map<Path, Path[]>();
  for (const path of fs.all()) {
    if (!isSpecification(path)) continue;
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

function makePackage(root: Path, files: Path[], facts: FileFacts): Package {
  const [, name = baseOf(root), version = null, platform = null] = baseOf(root).match(gemName) ?? [];
  const [specification] = files;
  const contents = specification === undefined ? null : facts.contents(specification);
  const details = contents === null ? noDetails : detailsIn(utf8Text(readByteString(contents)));
  const qualifiers: Record<string, string> = platform === null ? {} : { platform: utf8Text(platform) };
  return {
    kind: 'ruby',
    name,
    version: version === null ? null : utf8Text(version),
    files: files.sort(),
    details: { ...details, qualifiers },
  };
}

/** Reads the specification as RubyGems writes it: `s.licenses = ["MIT".freeze, "Ruby".freeze]`. */
function detailsIn(text: string): PackageDetails {
  const list = (member: string): readonly string[] => {
    const [, inside = ''] =
      new RegExp(`^\\s*s\\.${member} = (\\[[^\\]\\n]*\\]|"[^"\\n]*")`, 'm').exec(text) ?? [];
    return [...inside.matchAll(/"([^"\\]+)"/g)].map(([, value]) => value as string);
  };
  const [author = null] = list('authors');
  return { ...noDetails, licences: [...new Set(list('licenses'))], supplier: author };
}
