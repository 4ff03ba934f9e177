import type { Filesystem } from '../rootfs/filesystem.ts';
import { findTraced } from './traced.ts';
import type { Trace } from '../trace/trace.ts';
import type { Package, PackageIndex, PackageKind } from '../rootfs/packages/package.ts';

/** What a trace used of a package. */
export interface PackageUsage {
  /** Null for all files that belong to no package, in one row. */
  readonly kind: PackageKind | null;
  /** '' for those that belong to none. */
  readonly name: string;
  readonly version: string | null;
  readonly files: number;
  readonly used: number;
  /** Bytes of regular files, an inode with several names counted once for each. */
  readonly bytes: number;
  readonly usedBytes: number;
}

/**
 * What a trace used, by package: each file counts for its most particular owner, and as used if the trace names it. Packages with no file of their own in the image are left out. Most used bytes first, then most bytes, then by
 * name; what belongs to nobody comes last.
 */
export function usageByPackage(index: PackageIndex, fs: Filesystem, trace: Trace): readonly PackageUsage[] {
  const used = findTraced(fs, trace).uses;
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
  const nobody = Number(a.kind === null) - Number(b.kind === null);
  if (nobody !== 0) return nobody;
  return b.usedBytes - a.usedBytes || b.bytes - a.bytes || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
