/**
 * Which files of the new base the application hides: by files that it took over from the old base, by its own, and by what it deletes. The check
 * calls it with the filesystems of both bases and of the result.
 */
import { type Path, rootPath } from '../../bytes/path.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { HiddenFile } from '../findings.ts';

/** The files of both bases and of the result. */
export interface HiddenInput {
  readonly from: Filesystem;
  readonly to: Filesystem;
  readonly result: Filesystem;
  /** The number of layers of the new base, which are the lowest ones of the result. */
  readonly layers: number;
  /** Returns what tells the contents of a file from others: a digest. Null where it is not known. */
  readonly printOf: (fs: Filesystem, path: Path) => string | null;
}

/** What the result does not show of the new base. */
interface Hidden {
  /** The files that this is a loss of. */
  readonly files: readonly HiddenFile[];
  /** Whether the result shows every file of the new base. */
  readonly isWhole: boolean;
}

/** Finds files and symlinks of the new base that the result does not show. What both bases have alike does not count. */
export function* hiddenSteps(input: HiddenInput): Steps<Hidden> {
  const { to, result, layers } = input;
  const files: HiddenFile[] = [];
  let isWhole = true;
  let seen = 0;
  for (const path of to.all()) {
    if (++seen % itemsPerStep === 0) yield;
    if (to.kind(path) === 'directory') continue;
    const carrier = result.carrier(path);
    if (carrier !== null && carrier.layer <= layers && result.kind(path) !== 'directory') continue;
    isWhole = false;
    const how = howHidden(path, input);
    if (how !== null) files.push({ path, how });
  }
  return { files, isWhole };
}

function howHidden(path: Path, input: HiddenInput): HiddenFile['how'] | null {
  const { from, to, result } = input;
  if (isAlike(path, to, result, input)) return null;
  const isKnown = from.kind(path) !== null;
  // What the application deleted it has seen in the old base.
  if (result.kind(path) === null) return isKnown ? null : 'deleted';
  if (!isKnown) return 'replaced';
  return isAlike(path, from, to, input) ? null : 'outdated';
}

/** Returns whether a path is the same file in two filesystems: of one kind, with one target or the same contents. */
function isAlike(path: Path, a: Filesystem, b: Filesystem, { printOf }: HiddenInput): boolean {
  const kind = a.kind(path);
  if (kind !== b.kind(path)) return false;
  if (kind === 'symlink') return a.target(path) === b.target(path);
  if (kind !== 'file') return true;
  if (a.length(path) !== b.length(path)) return false;
  const print = printOf(a, path);
  return print !== null && print === printOf(b, path);
}

/** The databases of packages, one file each. Those with a file for each package are merged as directories are. */
const databases: readonly Path[] = [
  rootPath`var/lib/dpkg/status`,
  rootPath`lib/apk/db/installed`,
  rootPath`usr/lib/apk/db/installed`,
  ...['var/lib/rpm', 'usr/lib/sysimage/rpm'].flatMap((folder) =>
    ['rpmdb.sqlite', 'Packages', 'Packages.db'].map((name) => `${folder}/${name}` as Path),
  ),
];

/**
 * Returns the databases of packages in the result that the application has brought from the old base, although the new base has another
 * or none: they list what is not there.
 */
export function foreignDatabases(input: HiddenInput): readonly Path[] {
  const { from, to, result, layers } = input;
  return databases.filter((path) => {
    const carrier = result.carrier(path);
    const isOwn = result.kind(path) === 'file' && carrier !== null && carrier.layer > layers;
    return isOwn && from.kind(path) === 'file' && !isAlike(path, from, to, input);
  });
}
