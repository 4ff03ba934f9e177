/**
 * Finds Node packages by their directories in `node_modules`. `package-index.ts` reads it beside the databases of other package
 * managers.
 */
import { ascii, type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { join, type Path, cleanPath } from '../../bytes/path.ts';
import { memberOf, tryParseJson, stringOr } from '../../bytes/json-value.ts';
import { noDetails, type Package, type PackageDatabase, type PackageDetails } from './package.ts';
import { authorsIn, licencesIn } from './manifest-details.ts';
import { MiB } from '../../units.ts';

/** The most bytes of a package.json that are read. npm's registry accepts no larger ones. */
const largestManifest = MiB;

/**
 * Each directory in a `node_modules` that has a package.json is a package, without the `node_modules` in it. The application, whose
 * directory is not in a `node_modules`, is not a package: one use of it must not keep all of it.
 */
export const node: PackageDatabase = {
  kind: 'node',
  reads: (path) => {
    if (!path.endsWith('/package.json')) return 0;
    const root = nodePackageRoot(path);
    return root !== null && path.length === root.length + '/package.json'.length ? largestManifest : 0;
  },
  read(fs, facts) {
    const byRoot = new Map<Path, Path[] | null>();
    for (const path of fs.all()) {
      const root = nodePackageRoot(path);
      if (root === null || fs.kind(path) === 'directory') continue;
      let files = byRoot.get(root);
      if (files === undefined) {
        files = fs.kind(join(root, ascii`package.json`)) === 'file' ? [] : null;
        byRoot.set(root, files);
      }
      files?.push(path);
    }
    const packages: Package[] = [];
    for (const [root, files] of byRoot) {
      if (files === null) continue;
      const name = root.slice(startOfName(root));
      const contents = facts.contents(join(root, ascii`package.json`));
      const manifest = contents === null ? null : tryParseJson(contents);
      packages.push({
        kind: 'node',
        name,
        version: stringOr(memberOf(manifest, 'version'), null),
        files: files.sort(),
        details: detailsIn(manifest, name),
      });
    }
    return { packages, unread: [] };
  },
};

/** Returns the directory of the package that a path is in: the name behind the last `node_modules`, with its scope. */
export function nodePackageRoot(path: Path): Path | null {
  const start = startOfName(path);
  if (start < 0) return null;
  let end = path.indexOf('/', start);
  if (path[start] === '@' && end >= 0) end = path.indexOf('/', end + 1);
  return end < 0 ? null : cleanPath(path.slice(0, end));
}

/** Returns the offset behind the last `node_modules/`; -1 for a path without it. */
function startOfName(path: Path): number {
  const at = path.lastIndexOf('/node_modules/');
  if (at >= 0) return at + '/node_modules/'.length;
  return path.startsWith('node_modules/') ? 'node_modules/'.length : -1;
}

/** Reads what a package.json says of its package, whose directory may have the name of an alias. */
function detailsIn(manifest: unknown, directory: ByteString): PackageDetails {
  const name = memberOf(manifest, 'name');
  const known = typeof name === 'string' && name !== '' ? utf8Bytes(name) : directory;
  return {
    ...noDetails,
    registryName: known === directory ? null : known,
    licences: licencesIn(memberOf(manifest, 'license') ?? memberOf(manifest, 'licenses')),
    supplier: authorsIn(memberOf(manifest, 'author')),
  };
}
