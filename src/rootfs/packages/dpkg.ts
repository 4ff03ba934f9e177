/**
 * Reads the database of dpkg, which Debian's and Ubuntu's packages are installed with, and that of distroless images.
 * `package-index.ts` reads it beside the other databases.
 */
import { baseOf, type Path, rootPath } from '../../bytes/path.ts';
import { type ByteString, readByteString, ascii, noBytes } from '../../bytes/bytes.ts';
import { largestDatabase, readDatabaseFile } from './database-file.ts';
import { FileLocator } from './file-locator.ts';
import type { Package, PackageDatabase, UnreadDatabase } from './package.ts';

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
    const versions = versionsOf(text(status));
    const diverted = diversionsOf(text(diversions));
    const packages: Package[] = [];
    for (const path of fs.children(lists)) {
      if (!path.endsWith('.list')) continue;
      const name = baseOf(path).slice(0, -'.list'.length);
      const [own] = name.split(':', 1) as [ByteString];
      const names = text(path)
        .split('\n')
        .map((line) => {
          const diversion = diverted.get(line);
          return diversion === undefined || diversion.by === own ? line : diversion.to;
        });
      const version = versions.get(name) ?? null;
      packages.push({ kind: 'dpkg', name, version, files: locator.locateAll(names) });
    }
    for (const path of fs.children(fragments)) {
      if (path.endsWith('.md5sums') || fs.kind(path) !== 'file') continue;
      packages.push(readFragment(path, text(path), text(rootPath`${path}.md5sums`), locator));
    }
    return { packages, unread };
  },
};

/** Reads what `dpkg-divert` has moved away, three lines each: "from", "to", and the package (":" for the administrator). */
function diversionsOf(text: ByteString): ReadonlyMap<ByteString, { to: ByteString; by: ByteString }> {
  const found = new Map<ByteString, { to: ByteString; by: ByteString }>();
  const lines = text.split('\n');
  for (let i = 0; i + 2 < lines.length; i += 3)
    found.set(lines[i] as ByteString, { to: lines[i + 1] as ByteString, by: lines[i + 2] as ByteString });
  return found;
}

/** Returns versions by "name" and by "name:arch". */
function versionsOf(text: ByteString): ReadonlyMap<ByteString, ByteString> {
  const versions = new Map<ByteString, ByteString>();
  for (const stanza of text.split(/\n[ \t]*\n/)) {
    const name = field(stanza, 'Package');
    const version = field(stanza, 'Version');
    if (name === null || version === null) continue;
    versions.set(name, version);
    versions.set(ascii`${name}:${field(stanza, 'Architecture') ?? noBytes}`, version);
  }
  return versions;
}

/** Reads a package of a distroless image. */
function readFragment(path: Path, stanza: ByteString, list: ByteString, locator: FileLocator): Package {
  // "d41d8cd98f00b204e9800998ecf8427e  usr/share/x": a name may hold spaces.
  const names = list.split('\n').map((line) => line.slice(line.indexOf(' ') + 1).trimStart());
  return {
    kind: 'dpkg',
    name: field(stanza, 'Package') ?? baseOf(path),
    version: field(stanza, 'Version'),
    files: locator.locateAll(names),
  };
}

/** Returns the first line of a field of a stanza (deb822(5)); null where the field is missing. */
function field(stanza: ByteString, name: string): ByteString | null {
  const start = stanza.startsWith(`${name}:`) ? 0 : stanza.indexOf(`\n${name}:`);
  if (start < 0) return null;
  const from = stanza.indexOf(':', start) + 1;
  const end = stanza.indexOf('\n', from);
  return stanza.slice(from, end < 0 ? undefined : end).trim();
}
