import { ascii } from '../../bytes/bytes.ts';
import { join, type Path, cleanPath } from '../../bytes/path.ts';
import type { FileFacts } from '../facts/facts.ts';
import { memberOf, parseJson, stringOr } from '../../bytes/json-value.ts';
import type { Package, PackageDatabase } from './package.ts';
import { MiB } from '../../units.ts';

/** Larger ones than npm's registry accepts. */
const largestManifest = MiB;

/**
 * Node packages need no database: each is a directory in a `node_modules`, less the `node_modules` in it. The application
 * itself, whose directory is in none, is no package: one use of it must not keep all of it.
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

/** The package directory that a path is in: what follows the last `node_modules`, with the scope before it; null for none. */
export function nodePackageRoot(path: Path): Path | null {
  const start = startOfName(path);
  if (start < 0) return null;
  let end = path.indexOf('/', start);
  if (path[start] === '@' && end >= 0) end = path.indexOf('/', end + 1);
  return end < 0 ? null : cleanPath(path.slice(0, end));
}

/** Where the last `node_modules/` ends; -1 for none. */
function startOfName(path: Path): number {
  const at = path.lastIndexOf('/node_modules/');
  if (at >= 0) return at + '/node_modules/'.length;
  return path.startsWith('node_modules/') ? 'node_modules/'.length : -1;
}

function versionIn(facts: FileFacts, manifest: Path): string | null {
  const contents = facts.contents(manifest);
  return contents === null ? null : stringOr(memberOf(parseJson(contents), 'version'), null);
}
