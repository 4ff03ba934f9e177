/**
 * Finds Node packages by their directories in `node_modules`. `package-index.ts` reads it beside the databases of other package
 * managers.
 */
import { ascii } from '../../bytes/bytes.ts';
import { join, type Path, cleanPath } from '../../bytes/path.ts';
import type { FileFacts } from '../facts/facts.ts';
import { memberOf, tryParseJson, stringOr } from '../../bytes/json-value.ts';
import type { Package, PackageDatabase } from './package.ts';
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
      packages.push({
        kind: 'node',
        name: root.slice(startOfName(root)),
        version: versionIn(facts, join(root, ascii`package.json`)),
        files: files.sort(),
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

function versionIn(facts: FileFacts, manifest: Path): string | null {
  const contents = facts.contents(manifest);
  return contents === null ? null : stringOr(memberOf(tryParseJson(contents), 'version'), null);
}
