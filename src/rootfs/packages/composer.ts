/**
 * Finds PHP packages of Composer by their directories in `vendor`. `package-index.ts` reads it beside the databases of other package
 * managers.
 */
import { ascii } from '../../bytes/bytes.ts';
import type { Filesystem } from '../filesystem.ts';
import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import { readDatabaseFile } from './database-file.ts';
import { listOf, memberOf, tryParseJson, stringOr } from '../../bytes/json-value.ts';
import {
  noDetails,
  type Package,
  type PackageDatabase,
  type PackageDetails,
  type UnreadDatabase,
} from './package.ts';
import { authorsIn, licencesIn } from './manifest-details.ts';
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
      const listed = rowsOf(bytes === null ? null : tryParseJson(bytes));
      for (const root of packageRoots(fs, parentOf(parentOf(path)))) {
        const name = ascii`${baseOf(parentOf(root))}/${baseOf(root)}`;
        const files = [...fs.below(root)].filter((file) => fs.kind(file) !== 'directory').sort();
        const { version = null, details = noDetails } = listed.get(name) ?? {};
        packages.push({ kind: 'composer', name, version, files, details });
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

interface Row {
  readonly version: string | null;
  readonly details: PackageDetails;
}

/** Returns what the list says, by name. Composer 2 has the list in an object, in Composer 1 the file is the list. */
function rowsOf(json: unknown): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const each of listOf(memberOf(json, 'packages') ?? json)) {
    const name = stringOr(memberOf(each, 'name'), null);
    if (name === null) continue;
    const details = {
      ...noDetails,
      licences: licencesIn(memberOf(each, 'license')),
      supplier: authorsIn(memberOf(each, 'authors')),
    };
    rows.set(name, { version: stringOr(memberOf(each, 'version'), null), details });
  }
  return rows;
}
