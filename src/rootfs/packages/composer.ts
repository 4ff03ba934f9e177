import { ascii } from '../../bytes/bytes.ts';
import type { Filesystem } from '../filesystem.ts';
import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import { readDatabaseFile } from './database-file.ts';
import { listOf, memberOf, tryParseJson, stringOr } from '../../bytes/json-value.ts';
import type { Package, PackageDatabase, UnreadDatabase } from './package.ts';
import { MiB } from '../../units.ts';

/** The most bytes of a list that are read. */
const largestList = 32 * MiB;

const list = /(?:^|\/)vendor\/composer\/installed\.json$/;

/**
 * PHP packages of Composer: directories with a `composer.json` two levels below a `vendor` that Composer has made. Their versions
 * are in `vendor/composer/installed.json`, which Composer writes.
 */
export const composer: PackageDatabase = {
  kind: 'composer',
  reads: (path) => (list.test(path) ? largestList : 0),
  read(fs, facts) {
    const packages: Package[] = [];
    const unread: UnreadDatabase[] = [];
    for (const path of fs.all()) {
      if (!list.test(path)) continue;
      const bytes = readDatabaseFile(fs, facts, path, unread);
      const versions = versionsOf(bytes === null ? null : tryParseJson(bytes));
      for (const root of packageRoots(fs, parentOf(parentOf(path)))) {
        const name = ascii`${baseOf(parentOf(root))}/${baseOf(root)}`;
        const files = [...fs.below(root)].filter((file) => fs.kind(file) !== 'directory').sort();
        packages.push({ kind: 'composer', name, version: versions.get(name) ?? null, files });
      }
    }
    return { packages, unread };
  },
};

function* packageRoots(fs: Filesystem, vendor: Path): Generator<Path> {
  for (const owner of fs.children(vendor))
    for (const root of fs.children(owner))
      if (fs.kind(root) === 'directory' && fs.kind(join(root, ascii`composer.json`)) === 'file') yield root;
}

/** Returns versions by name. Composer 2 has the list in an object, in Composer 1 the file is the list. */
function versionsOf(json: unknown): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const each of listOf(memberOf(json, 'packages') ?? json)) {
    const name = stringOr(memberOf(each, 'name'), null);
    const version = stringOr(memberOf(each, 'version'), null);
    if (name !== null && version !== null) versions.set(name, version);
  }
  return versions;
}
