/**
 * Reads the databases of rpm, which the packages of Red Hat's and SUSE's distributions are installed with. `package-index.ts` reads
 * it beside the other databases.
 */
import { ascii, type ByteString, asByteString, utf8Text } from '../../bytes/bytes.ts';
import { type Path, rootPath, join } from '../../bytes/path.ts';
import { readBerkeleyDb } from './berkeley-db.ts';
import { Damage } from './damage.ts';
import { largestDatabase, readDatabaseFile } from './database-file.ts';
import { isLeftOut } from './documentation.ts';
import { FileLocator } from './file-locator.ts';
import { readNdb } from './ndb.ts';
import { noDetails, type Package, type PackageDatabase, type UnreadDatabase } from './package.ts';
import { readRpmHeader, type RpmHeader } from './rpm-header.ts';
import { SqliteFile } from './sqlite.ts';

/** The directories of the database: SUSE, and Fedora since 36, have it below /usr. */
const directories = [rootPath`var/lib/rpm`, rootPath`usr/lib/sysimage/rpm`];

/** The formats in which rpm has kept the headers of its packages, by the name of the file. */
const formats: ReadonlyMap<ByteString, (bytes: Uint8Array) => Iterable<Uint8Array>> = new Map([
  [ascii`rpmdb.sqlite`, sqliteBlobs],
  [ascii`Packages.db`, readNdb],
  [ascii`Packages`, readBerkeleyDb],
]);

const places = directories.flatMap((directory) =>
  [...formats].map(([name, blobs]) => ({ path: join(directory, name), blobs })),
);

/** Where databases of rpm may be. */
export const rpmDatabases: readonly Path[] = places.map(({ path }) => path);

/** The databases of rpm. An image may have several, of which an upgrade left the older ones behind. */
export const rpm: PackageDatabase = {
  kind: 'rpm',
  reads: (path) => (places.some((place) => place.path === path) ? largestDatabase : 0),
  read(fs, facts) {
    const locator = new FileLocator(fs);
    const installed: Installed[] = [];
    const unread: UnreadDatabase[] = [];
    for (const { path, blobs } of places) {
      const bytes = readDatabaseFile(fs, facts, path, unread);
      if (bytes === null) continue;
      const log = rootPath`${path}-wal`;
      if (fs.size(log) > 0)
        unread.push({ path: log, why: 'it holds changes that are not in the database yet' });
      for (const each of readPackages(blobs(bytes), path, locator, unread)) installed.push(each);
    }
    return { packages: withArchitectures(installed), unread };
  },
};

interface Installed {
  readonly arch: string | null;
  readonly package: Package;
}

function* readPackages(
  blobs: Iterable<Uint8Array>,
  path: Path,
  locator: FileLocator,
  unread: UnreadDatabase[],
): Generator<Installed> {
  try {
    for (const blob of blobs) {
      const header = readRpmHeader(blob);
      if (header === null) continue;
      yield { arch: header.arch, package: makePackage(header, locator) };
    }
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    unread.push({ path, why: error.message });
  }
}

function makePackage(header: RpmHeader, locator: FileLocator): Package {
  const { name, version, arch, licence, supplier, source, changes } = header;
  const { files, missing } = locator.locateAll(header.files, isLeftOut);
  const text = (bytes: ByteString | null): string | null =>
    bytes === null || bytes === '' ? null : utf8Text(bytes);
  const licences = text(licence);
  return {
    kind: 'rpm',
    name,
    version: utf8Text(version),
    files,
    ...(changes.length === 0 ? {} : { changes }),
    details: {
      ...noDetails,
      architecture: text(arch),
      source: sourceIn(text(source)),
      licences: licences === null ? [] : [licences],
      supplier: text(supplier),
      missing,
    },
  };
}

/** Reads the name of a source package: name, version and release are joined by dashes, and only the name may hold some. */
function sourceIn(file: string | null): { readonly name: string; readonly version: string } | null {
  const [, name, version] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file ?? '') ?? [];
  return name === undefined || version === undefined ? null : { name, version };
}

/** Appends the architecture to the names of packages that are installed for several, as `rpm -q` does: "glibc.i686". */
function withArchitectures(installed: readonly Installed[]): readonly Package[] {
  const architectures = new Map<string, Set<string | null>>();
  for (const {
    arch,
    package: { name },
  } of installed) {
    const known = architectures.get(name);
    if (known === undefined) architectures.set(name, new Set([arch]));
    else known.add(arch);
  }
  return installed.map(({ arch, package: each }) =>
    arch === null || architectures.get(each.name)?.size === 1
      ? each
      : {
          ...each,
          name: ascii`${each.name}.${asByteString(arch)}`,
          details: { ...each.details, registryName: each.name },
        },
  );
}

/** Yields the headers. The table has two columns: the number of the package, and its header. */
function* sqliteBlobs(bytes: Uint8Array): Generator<Uint8Array> {
  for (const [, blob] of new SqliteFile(bytes).rows('Packages')) if (blob instanceof Uint8Array) yield blob;
}
