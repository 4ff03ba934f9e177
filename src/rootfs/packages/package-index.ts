import type { Filesystem } from '../filesystem.ts';
import type { Path } from '../../bytes/path.ts';
import type { ContentProbe, FileFacts } from '../facts/facts.ts';
import { apk } from './apk.ts';
import { composer } from './composer.ts';
import { conda } from './conda.ts';
import { dpkg } from './dpkg.ts';
import { node } from './node.ts';
import type { Package, PackageDatabase, PackageIndex, UnreadDatabase } from './package.ts';
import { packageKinds } from './package.ts';
import { python } from './python.ts';
import { rpm } from './rpm.ts';
import { ruby } from './ruby.ts';

const databases: readonly PackageDatabase[] = [dpkg, apk, rpm, conda, python, node, ruby, composer];

/** What all databases must read. */
export const packageProbe: ContentProbe = (path) =>
  databases.reduce((most, database) => Math.max(most, database.reads(path)), 0);

const known = new WeakMap<Filesystem, PackageIndex>();

/** The packages of an image: read at the first call, remembered for as long as its filesystem is. */
export function packagesOf(image: { readonly fs: Filesystem; readonly facts: FileFacts }): PackageIndex {
  let index = known.get(image.fs);
  if (index === undefined) {
    index = buildPackageIndex(image.fs, image.facts);
    known.set(image.fs, index);
  }
  return index;
}

/** Reads all databases of an image. Takes time and memory in proportion to the files. */
export function buildPackageIndex(fs: Filesystem, facts: FileFacts): PackageIndex {
  const packages: Package[] = [];
  const unread: UnreadDatabase[] = [];
  for (const database of databases) {
    const reading = database.read(fs, facts);
    // One by one: there may be more than one call takes.
    for (const each of reading.packages) packages.push(each);
    for (const each of reading.unread) unread.push(each);
  }
  // Most files belong to one package: only the others need a list of their own.
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

/** A language's package before the distribution's that it was packed in; of one kind, the one with fewer files. */
function byParticularity(a: Package, b: Package): number {
  return (
    packageKinds.indexOf(a.kind) - packageKinds.indexOf(b.kind) ||
    a.files.length - b.files.length ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );
}
