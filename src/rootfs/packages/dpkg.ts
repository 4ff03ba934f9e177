/**
 * Reads the database of dpkg, which Debian's and Ubuntu's packages are installed with, and that of distroless images.
 * `package-index.ts` reads it beside the other databases.
 */
import type { Filesystem } from '../filesystem.ts';
import { baseOf, type Path, rootPath } from '../../bytes/path.ts';
import { type ByteString, readByteString, ascii, noBytes, utf8Text } from '../../bytes/bytes.ts';
import { largestDatabase, linesOf, noteLinked, readDatabaseFile } from './database-file.ts';
import { isLeftOut } from './documentation.ts';
import { FileLocator, type Located } from './file-locator.ts';
import {
  noDetails,
  type Package,
  type PackageDatabase,
  type PackageDetails,
  type PackageFile,
  type UnreadDatabase,
} from './package.ts';
import { cutStanzas, stanzasIn } from './stanzas.ts';

const status = rootPath`var/lib/dpkg/status`;
const diversions = rootPath`var/lib/dpkg/diversions`;
const lists = rootPath`var/lib/dpkg/info`;
const fragments = rootPath`var/lib/dpkg/status.d`;

/**
 * dpkg has a list of files for each package, and one file with the stanzas of all. In distroless images, which bazel builds from
 * Debian's packages, each package has its own stanza in `status.d`, and a list of checksums without symlinks and conffiles.
 */
export const dpkg: PackageDatabase = {
  kind: 'dpkg',
  reads: (path) =>
    path.startsWith('var/lib/dpkg/') &&
    (path === status ||
      path === diversions ||
      (path.startsWith(`${lists}/`) && path.endsWith('.list')) ||
      path.startsWith(`${fragments}/`))
      ? largestDatabase
      : 0,
  read(fs, facts) {
    const locator = new FileLocator(fs);
    const unread: UnreadDatabase[] = [];
    const text = (path: Path): ByteString => {
      const bytes = readDatabaseFile(fs, facts, path, unread);
      return bytes === null ? noBytes : readByteString(bytes);
    };
    noteLinked(fs, facts, status, unread);
    const stanzas = stanzasOf(text(status));
    const listed = new Set<ByteString>();
    const diverted = diversionsOf(text(diversions));
    const packages: Package[] = [];
    for (const path of fs.children(lists)) {
      if (!path.endsWith('.list')) continue;
      const name = baseOf(path).slice(0, -'.list'.length);
      const [own] = name.split(':', 1) as [ByteString];
      const names = linesOf(text(path)).map((line) => {
        const diversion = diverted.get(line);
        return diversion === undefined || diversion.by === own ? line : diversion.to;
      });
      const stanza = stanzas.get(name) ?? noBytes;
      listed.add(stanza);
      packages.push(makePackage(name, stanza, locator.locateAll(names, isLeftOut)));
    }
    // A pruned image may have lost the lists of packages that its status still names.
    for (const stanza of new Set(stanzas.values()))
      if (!listed.has(stanza))
        packages.push(makePackage(nameIn(stanza), stanza, { files: [], directories: [], missing: 0 }));
    for (const path of fs.children(fragments)) {
      if (path.endsWith('.md5sums')) continue;
      noteLinked(fs, facts, path, unread);
      if (fs.kind(path) !== 'file') continue;
      packages.push(readFragment(path, text(path), text(rootPath`${path}.md5sums`), locator));
    }
    return { packages, unread };
  },
  without(fs, facts, packages) {
    const text = (path: Path): ByteString => {
      const bytes = readDatabaseFile(fs, facts, path, []);
      return bytes === null ? noBytes : readByteString(bytes);
    };
    const all = text(status);
    const stanzas = stanzasOf(all);
    const byStanza = new Map(
      packages.flatMap((each) => {
        const stanza = stanzas.get(each.name);
        return stanza === undefined ? [] : [[stanza, each] as const];
      }),
    );
    const cut = [...stanzasIn(all, betweenStanzas)].filter((stanza) => byStanza.has(stanza.text));
    const listed = cut.map((stanza) => byStanza.get(stanza.text) as Package);
    return {
      edited:
        cut.length === 0
          ? []
          : [{ path: status, contents: cutStanzas(all, cut), packages: [...new Set(listed)] }],
      gone: [...infoFiles(fs, new Set(listed)), ...fragmentFiles(fs, text, packages)],
    };
  },
};

/** Ends a stanza: the end of its last line, and the empty lines behind it. Blanks, and the end of a line on Windows, do not make a line of a stanza. */
const betweenStanzas = /\n(?:[ \t\r]*\n)+/g;

/** Yields the files in `info` that are about one of these packages: "curl.list", "libc6:amd64.postinst". */
function* infoFiles(fs: Filesystem, packages: ReadonlySet<Package>): Generator<PackageFile> {
  const byName = new Map([...packages].map((each) => [each.name, each]));
  for (const path of fs.children(lists)) {
    const base = baseOf(path);
    // The kind of file has no dot, and names of packages may have some: "python3.11.list".
    const found = byName.get(base.slice(0, Math.max(0, base.lastIndexOf('.'))));
    if (found !== undefined && fs.kind(path) === 'file') yield { path, package: found, isListing: false };
  }
}

/** Yields the files of these packages in `status.d`. A file with stanzas of several packages stays. */
function* fragmentFiles(
  fs: Filesystem,
  text: (path: Path) => ByteString,
  packages: readonly Package[],
): Generator<PackageFile> {
  const byName = new Map(packages.map((each) => [each.name, each]));
  for (const path of fs.children(fragments)) {
    if (path.endsWith('.md5sums') || fs.kind(path) !== 'file') continue;
    const stanza = text(path);
    const found = byName.get(field(stanza, 'Package') ?? baseOf(path));
    if (found === undefined || [...stanzasIn(stanza, betweenStanzas)].length > 1) continue;
    yield { path, package: found, isListing: true };
    const sums = rootPath`${path}.md5sums`;
    if (fs.kind(sums) === 'file') yield { path: sums, package: found, isListing: false };
  }
}

/** Reads what `dpkg-divert` has moved away, three lines each: "from", "to", and the package (":" for the administrator). */
function diversionsOf(text: ByteString): ReadonlyMap<ByteString, { to: ByteString; by: ByteString }> {
  const found = new Map<ByteString, { to: ByteString; by: ByteString }>();
  const lines = linesOf(text);
  for (let i = 0; i + 2 < lines.length; i += 3)
    found.set(lines[i] as ByteString, { to: lines[i + 1] as ByteString, by: lines[i + 2] as ByteString });
  return found;
}

/** Returns the stanzas of packages that have a version, by "name" and by "name:arch". */
function stanzasOf(text: ByteString): ReadonlyMap<ByteString, ByteString> {
  const stanzas = new Map<ByteString, ByteString>();
  for (const { text: stanza } of stanzasIn(text, betweenStanzas)) {
    const name = field(stanza, 'Package');
    if (name === null || field(stanza, 'Version') === null) continue;
    stanzas.set(name, stanza);
    stanzas.set(ascii`${name}:${field(stanza, 'Architecture') ?? noBytes}`, stanza);
  }
  return stanzas;
}

/** Returns the name of a package without a list, as its list would have it: packages for several architectures name theirs. */
function nameIn(stanza: ByteString): ByteString {
  const name = field(stanza, 'Package') ?? noBytes;
  return field(stanza, 'Multi-Arch') === 'same'
    ? ascii`${name}:${field(stanza, 'Architecture') ?? noBytes}`
    : name;
}

function makePackage(name: ByteString, stanza: ByteString, located: Located): Package {
  const { files, directories, missing } = located;
  const version = textOf(stanza, 'Version');
  return {
    kind: 'dpkg',
    name,
    version,
    files,
    ...(directories.length === 0 ? {} : { directories }),
    details: { ...detailsIn(name, stanza), missing },
  };
}

/** Reads what a stanza tells of its package (deb-status(5)). */
function detailsIn(name: ByteString, stanza: ByteString): PackageDetails {
  const own = field(stanza, 'Package') ?? (name.split(':', 1)[0] as ByteString);
  // "Want Flag Status": "deinstall ok config-files" is left of a removed package.
  const state = textOf(stanza, 'Status');
  return {
    ...noDetails,
    registryName: own === name ? null : own,
    architecture: textOf(stanza, 'Architecture'),
    source: sourceIn(textOf(stanza, 'Source')),
    supplier: textOf(stanza, 'Maintainer'),
    isInstalled: state === null || state.endsWith(' installed'),
  };
}

/** Reads "openssl (3.0.1-1)": the version is stated where it differs from that of the package. */
function sourceIn(text: string | null): { readonly name: string; readonly version: string | null } | null {
  const [, name, version = null] = /^([^\s(]+)(?:\s*\(([^)]*)\))?/.exec(text ?? '') ?? [];
  return name === undefined ? null : { name, version };
}

/** Reads a package of a distroless image. */
function readFragment(path: Path, stanza: ByteString, list: ByteString, locator: FileLocator): Package {
  // "d41d8cd98f00b204e9800998ecf8427e  usr/share/x": a name may hold spaces.
  const names = linesOf(list).map((line) => line.slice(line.indexOf(' ') + 1).trimStart());
  return makePackage(field(stanza, 'Package') ?? baseOf(path), stanza, locator.locateAll(names, isLeftOut));
}

/** Returns the first line of a field as text; null where it is missing or empty. */
function textOf(stanza: ByteString, name: string): string | null {
  const value = field(stanza, name);
  return value === null || value === '' ? null : utf8Text(value);
}

/** Returns the first line of a field of a stanza (deb822(5)); null where the field is missing. */
function field(stanza: ByteString, name: string): ByteString | null {
  const start = stanza.startsWith(`${name}:`) ? 0 : stanza.indexOf(`\n${name}:`);
  if (start < 0) return null;
  const from = stanza.indexOf(':', start) + 1;
  const end = stanza.indexOf('\n', from);
  return stanza.slice(from, end < 0 ? undefined : end).trim();
}
