/**
 * Takes packages of which no file is left out of the package databases (`--package-db sync`). `pruneSteps` calls it once it knows what
 * stays, prunes once more with what it says, and asks it then which packages are still listed.
 */
import { type Path, quotePath } from '../../bytes/path.ts';
import type { Change } from '../../changeset/change.ts';
import type { NewContents } from '../../changeset/edit.ts';
import { OcislimError } from '../../errors.ts';
import type { Pruning } from '../../image/image.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import type { FileFacts } from '../../rootfs/facts/facts.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import { type Distribution, distributionOf } from '../../rootfs/packages/distribution.ts';
import {
  type EditedDatabase,
  ownFiles,
  type Package,
  type PackageFile,
} from '../../rootfs/packages/package.ts';
import { packagesOf, withoutPackages } from '../../rootfs/packages/package-index.ts';
import { rpmDatabases } from '../../rootfs/packages/rpm.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { MiB } from '../../units.ts';
import { within } from './marking.ts';

/** The most bytes of a database that is edited, since its old and its new contents are held. Ten thousand packages take less. */
const largestEdited = 32 * MiB;

/** A file that gets other contents. */
export interface FileEdit {
  readonly path: Path;
  /** The change that carries the file, and all names of it in the result. */
  readonly carrier: Change;
  readonly names: readonly Path[];
  readonly contents: NewContents;
  readonly before: { readonly size: number; readonly digest: Digest };
  readonly after: { readonly size: number; readonly digest: Digest };
  /** The packages that the file lists no more, in its order. */
  readonly packages: readonly Package[];
}

/** What a pruning does to package databases. */
export interface PackageSync {
  /** By file: the change that carries it. */
  readonly edits: ReadonlyMap<number, FileEdit>;
  /** The files that are about one package alone. */
  readonly gone: ReadonlySet<Path>;
  /** The files of these that list their packages. */
  readonly listings: readonly PackageFile[];
  /** Why a database that lists packages without files is not edited. */
  readonly refused: readonly KeptDatabase[];
}

/** A file that still lists packages of which no file is left. */
export interface KeptDatabase {
  readonly path: Path;
  /** As the rest of a sentence: "it is in layer 1, which was not selected". */
  readonly why: string;
  /** How many packages; null where the file cannot be read. */
  readonly packages: number | null;
}

/** What `--package-db sync` led to. */
export interface SyncedPackages {
  readonly edits: readonly FileEdit[];
  /** The packages that no database lists any more, in the order of the databases. */
  readonly takenOut: readonly Package[];
  readonly kept: readonly KeptDatabase[];
  /** The distribution of the packages; null for an image that states none. */
  readonly distribution: Distribution | null;
}

/** An image before and after its pruning, before package databases were looked at. */
export interface PrunedImage {
  readonly fs: Filesystem;
  readonly facts: FileFacts;
  readonly result: Filesystem;
}

/** Returns whether one of these prunings changes package databases. */
export function syncsPackages(prunings: readonly Pruning[]): boolean {
  return prunings.some(({ packageDb }) => packageDb === 'sync');
}

/** Finds what is to change in the databases of an image. @throws UNSUPPORTED for an image with a database of rpm */
export function* syncSteps(image: PrunedImage, prunings: readonly Pruning[]): Steps<PackageSync> {
  refuseRpm(image);
  const lost = yield* lostPackageSteps(image);
  const { edited, gone } = withoutPackages(image, lost);
  yield;
  const edits = new Map<number, FileEdit>();
  const refused: KeptDatabase[] = unreadDatabases(image);
  const listed = new Set<Package>();
  for (const database of edited) {
    const { path, packages } = database;
    if (image.result.kind(path) === null) continue;
    const carrier = image.fs.carrier(path) as Change;
    const why = refusalOf(image, { path, carrier }, prunings);
    if (why === null) {
      const edit = editOf(image, carrier, database);
      edits.set(carrier.id, edit);
      for (const each of packages) listed.add(each);
    } else {
      refused.push({ path, why, packages: packages.length });
    }
  }
  for (const file of gone) if (file.isListing) listed.add(file.package);
  const going = gone.filter((file) => listed.has(file.package));
  return {
    edits,
    gone: new Set(going.map(({ path }) => path)),
    listings: going.filter(({ isListing }) => isListing),
    refused,
  };
}

/** Tells what became of the databases, once the image was pruned again with `sync`. */
export function describeSync(sync: PackageSync, { fs, facts, result }: PrunedImage): SyncedPackages {
  const left = sync.listings.filter(({ path }) => result.kind(path) !== null);
  const takenOut = new Set([...sync.edits.values()].flatMap(({ packages }) => packages));
  for (const file of sync.listings) if (!left.includes(file)) takenOut.add(file.package);
  for (const file of left) takenOut.delete(file.package);
  const why = 'a layer that was not selected has it, or it is to be kept';
  return {
    edits: [...sync.edits.values()],
    takenOut: [...takenOut],
    kept: [...sync.refused, ...left.map(({ path }) => ({ path, why, packages: 1 }))],
    distribution: distributionOf(fs, facts),
  };
}

/** @throws UNSUPPORTED where a database of rpm lists packages and stays */
function refuseRpm({ fs, facts, result }: PrunedImage): void {
  const { packages, unread } = packagesOf({ fs, facts });
  const path = rpmDatabases.find((each) => fs.kind(each) === 'file' && result.kind(each) !== null);
  if (path === undefined) return;
  const isUsed = packages.some(({ kind }) => kind === 'rpm') || unread.some((each) => each.path === path);
  if (!isUsed) return;
  throw new OcislimError(
    'UNSUPPORTED',
    `--package-db sync: the database of rpm (${quotePath(path)}) is not text but a binary database with indexes of its own (SQLite, ndb or Berkeley DB), and only rpm can take a package out of it`,
    {
      advice:
        'Leave out --package-db. In the Dockerfile, "rpm --erase --justdb --nodeps NAME" takes a package out of it.',
    },
  );
}

/**
 * Returns the packages of which the databases name files, and no file is left. A package that never had any (a metapackage) has lost
 * nothing. Packages that one stanza stands for are lost together or not at all.
 */
function* lostPackageSteps({ fs, facts, result }: PrunedImage): Steps<readonly Package[]> {
  const candidates: Package[] = [];
  const left = new Set<string>();
  let seen = 0;
  for (const each of packagesOf({ fs, facts }).packages) {
    if (each.kind !== 'dpkg' && each.kind !== 'apk') continue;
    seen += each.files.length + 1;
    if (seen > itemsPerStep) {
      seen = 0;
      yield;
    }
    const { details } = each;
    const files = ownFiles(each);
    const hadFiles = files.length + details.missing > 0;
    const isLost = details.isInstalled && hadFiles && files.every((path) => result.kind(path) === null);
    if (isLost) candidates.push(each);
    else left.add(keyOf(each));
  }
  return candidates.filter((each) => !left.has(keyOf(each)));
}

function keyOf({ kind, name, version, details: { registryName, architecture } }: Package): string {
  return JSON.stringify([kind, registryName ?? name, version, architecture]);
}

/** Returns the databases of dpkg and apk that cannot be read, and stay. */
function unreadDatabases({ fs, facts, result }: PrunedImage): KeptDatabase[] {
  return packagesOf({ fs, facts })
    .unread.filter(({ path }) => /(?:^|\/)(?:dpkg|apk)(?:\/|$)/.test(path) && result.kind(path) !== null)
    .map(({ path, why }) => ({ path, why, packages: null }));
}

/** Returns why a database is not edited; null for one that is. */
function refusalOf(
  { fs, facts }: PrunedImage,
  { path, carrier }: Pick<FileEdit, 'path' | 'carrier'>,
  prunings: readonly Pruning[],
): string | null {
  const { layer } = carrier;
  if (!prunings.some(({ packageDb, layers }) => packageDb === 'sync' && within(layers, layer)))
    return `it is in layer ${layer}, which was not selected`;
  const size = facts.contents(path)?.length ?? 0;
  if (size > largestEdited) return 'it is too large to be edited';
  return fs.length(path) === size && fs.size(path) === size ? null : 'it is stored as a sparse file';
}

function editOf(
  { fs, facts, result }: PrunedImage,
  carrier: Change,
  { path, contents: bytes, packages }: EditedDatabase,
): FileEdit {
  const old = facts.contents(path) as Uint8Array;
  const digest = digestOf(bytes);
  return {
    path,
    carrier,
    names: fs.names(path).filter((name) => result.kind(name) !== null),
    contents: { bytes, digest },
    before: { size: old.length, digest: digestOf(old) },
    after: { size: bytes.length, digest },
    packages,
  };
}
