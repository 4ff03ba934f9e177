/**
 * How much of a package a trace used, file by file. Caller: `trace show --image`.
 */
import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Steps } from '../steps.ts';
import { tracedSteps } from './traced.ts';
import type { Trace } from '../trace/trace.ts';
import type { Package, PackageIndex, PackageKind } from '../rootfs/packages/package.ts';

/** How much of a package a trace used. */
export interface PackageUsage {
  /** Null for the row of all files that belong to no package. */
  readonly kind: PackageKind | null;
  /** '' for that row. */
  readonly name: string;
  readonly version: string | null;
  /** Number of its files, without directories, and of those that the trace used. */
  readonly files: number;
  readonly used: number;
  /** Bytes of its regular files, and of those that the trace used. A file with several names counts for each. */
  readonly bytes: number;
  readonly usedBytes: number;
}

/**
 * Counts what a trace used of each package. A file counts for its most specific owner, and as used if the trace names it. Packages
 * without a file in the image are left out. Packages with most used bytes come first, then those with most bytes, then by name; files
 * that belong to no package come last.
 */
export function* usageSteps(
  index: PackageIndex,
  fs: Filesystem,
  trace: Trace,
): Steps<readonly PackageUsage[]> {
  const { uses: used } = yield* tracedSteps(fs, trace);
  const rows = new Map<Package | null, { files: number; used: number; bytes: number; usedBytes: number }>();
  for (const path of fs.all()) {
    const kind = fs.kind(path);
    if (kind === 'directory') continue;
    const owner = index.ownersOf(path)[0] ?? null;
    let row = rows.get(owner);
    if (row === undefined) rows.set(owner, (row = { files: 0, used: 0, bytes: 0, usedBytes: 0 }));
    const bytes = kind === 'file' ? fs.size(path) : 0;
    row.files++;
    row.bytes += bytes;
    if (!used.has(path)) continue;
    row.used++;
    row.usedBytes += bytes;
  }
  return [...rows]
    .map(([owner, row]) => ({
      kind: owner?.kind ?? null,
      name: owner?.name ?? '',
      version: owner?.version ?? null,
      ...row,
    }))
    .sort(byUse);
}

function byUse(a: PackageUsage, b: PackageUsage): number {
  const unowned = Number(a.kind === null) - Number(b.kind === null);
  if (unowned !== 0) return unowned;
  return b.usedBytes - a.usedBytes || b.bytes - a.bytes || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
