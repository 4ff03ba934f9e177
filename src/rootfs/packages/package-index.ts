/**
 * All packages of an image, of all kinds, and which package each file belongs to. The rules of the closure and `trace show` ask
 * it; each database has a file of its own beside this one.
 */
import type { Filesystem } from '../filesystem.ts';
import type { Path } from '../../bytes/path.ts';
import type { ContentProbe, FileFacts } from '../facts/facts.ts';
import { apk } from './apk.ts';
import { composer } from './composer.ts';
import { conda } from './conda.ts';
import { dpkg } from './dpkg.ts';
import { node } from './node.ts';
import type { Package, PackageDatabase, PackageIndex, ThinnedDatabase, UnreadDatabase } from './package.ts';
import { packageKinds } from './package.ts';
import { python } from './python.ts';
import { rpm } from './rpm.ts';
import { ruby } from './ruby.ts';

const databases: readonly PackageDatabase[] = [dpkg, apk, rpm, conda, python, node, ruby, composer];

/** Returns how much of the contents of a file the databases need, in bytes. */
export const packageProbe: ContentProbe = (path) =>
  databases.reduce((most, database) => Math.max(most, database.reads(path)), 0);

/** Returns how much of the contents of a file tells details of packages, in bytes. */
export const detailProbe: ContentProbe = (path) =>
  databases.reduce((most, { describes }) => Math.max(most, describes?.(path) ?? 0), packageProbe(path));

const known = new WeakMap<Filesystem, PackageIndex>();

/** Returns the packages of an image. They are read at the first call, and remembered as long as the filesystem. */
export function packagesOf(image: { readonly fs: Filesystem; readonly facts: FileFacts }): PackageIndex {
  let index = known.get(image.fs);
  if (index === undefined) {
    index = buildPackageIndex(image.fs, image.facts);
    known.set(image.fs, index);
  }
  return index;
}

/** Returns what the databases of an image become without some of its packages. */
export function withoutPackages(
  { fs, facts }: { readonly fs: Filesystem; readonly facts: FileFacts },
  packages: readonly Package[],
): ThinnedDatabase {
  const thinned = databases.flatMap(({ kind, without }) => {
    const own = packages.filter((each) => each.kind === kind);
    return own.length === 0 || without === undefined ? [] : [without(fs, facts, own)];
  });
  return {
    edited: thinned.flatMap(({ edited }) => edited),
    gone: thinned.flatMap(({ gone }) => gone),
  };
}

/** Reads all databases of an image, in time and memory proportional to the number of files. */
export function buildPackageIndex(fs: Filesystem, facts: FileFacts): PackageIndex {
  const packages: Package[] = [];
  const unread: UnreadDatabase[] = [];
  for (const database of databases) {
    const reading = database.read(fs, facts);
    // One by one: there may be more than a call may have arguments.
    for (const each of reading.packages) packages.push(each);
    for (const each of reading.unread) unread.push(each);
  }
  // Most files belong to one package. Only the others get a list.
  const owners = new Map<Path, Package | Package[]>();
  for (const each of packages.sort(byParticularity))
    for (const path of each.files) {
      const others = owners.get(path);
      if (others === undefined) owners.set(path, each);
      else if (Array.isArray(others)) others.push(each);
      else owners.set(path, [others, each]);
    }
  return {
    ownersOf(path) {
      const found = owners.get(path);
      return found === undefined ? [] : Array.isArray(found) ? found : [found];
    },
    packages,
    unread,
  };
}

/** Sorts the package of a language before that of the distribution that contains it; of one kind, that with fewer files first. */
function byParticularity(a: Package, b: Package): number {
  return (
    packageKinds.indexOf(a.kind) - packageKinds.indexOf(b.kind) ||
    a.files.length - b.files.length ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );
}
