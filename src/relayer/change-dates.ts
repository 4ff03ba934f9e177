/**
 * Collects the dates at which the packages of an image were changed. The job that relayers an image asks for the changelogs in its scan,
 * and gives the dates to `rate-changes.ts`.
 */
import { readByteString } from '../bytes/bytes.ts';
import { rootPath } from '../bytes/path.ts';
import { inflateRaw } from '../codec/inflate-raw.ts';
import type { ContentProbe, FileFacts } from '../rootfs/facts/facts.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Package, PackageIndex } from '../rootfs/packages/package.ts';
import { KiB, MiB } from '../units.ts';
import { type DatedChange, readDebianChangelog } from './changelog.ts';
import { componentOfPackage } from './path-claims.ts';

/** The most bytes of a changelog, packed and unpacked. The longest of Debian's have 300 KiB and 1 MiB. */
const largestPacked = 512 * KiB;
const largest = 4 * MiB;

/** Selects the changelogs of Debian's packages: those of packages that are Debian's own have the other name. */
export const changelogProbe: ContentProbe = (path) =>
  path.startsWith('usr/share/doc/') && /^usr\/share\/doc\/[^/]+\/changelog(?:\.Debian)?\.gz$/.test(path)
    ? largestPacked
    : 0;

/** Returns the dated changes of packages, by component. Packages without dates are left out. */
export function changeDates(
  { fs, facts }: { readonly fs: Filesystem; readonly facts: FileFacts },
  { packages }: PackageIndex,
): ReadonlyMap<string, readonly DatedChange[]> {
  const found = new Map<string, readonly DatedChange[]>();
  for (const each of packages) {
    const name = componentOfPackage(each);
    // Packages of one source have one changelog.
    if (found.has(name)) continue;
    const dates =
      each.kind === 'dpkg' ? debianDates(each, fs, facts) : (each.changes ?? []).map(withoutRelease);
    if (dates.length > 0) found.set(name, dates);
  }
  return found;
}

function withoutRelease(time: number): DatedChange {
  return { time, release: null };
}

function debianDates({ name, details }: Package, fs: Filesystem, facts: FileFacts): readonly DatedChange[] {
  const own = details.registryName ?? name;
  const documents = fs.resolve(rootPath`usr/share/doc/${own}`).path;
  if (documents === null) return [];
  for (const path of [rootPath`${documents}/changelog.Debian.gz`, rootPath`${documents}/changelog.gz`]) {
    const packed = facts.contents(path);
    const text = packed === null ? null : gunzip(packed);
    const dates = text === null ? [] : readDebianChangelog(readByteString(text));
    if (dates.length > 0) return dates;
  }
  return [];
}

/** Unpacks a gzip member (RFC 1952); null for anything else, and for more than a changelog has. */
function gunzip(packed: Uint8Array): Uint8Array | null {
  const [first, second, method, flags = 0] = packed;
  if (first !== 0x1f || second !== 0x8b || method !== 8) return null;
  // Debian's tools write no extra fields; a name ends with NUL.
  if ((flags & 0b0001_0110) !== 0) return null;
  const start = (flags & 0b1000) === 0 ? 10 : packed.indexOf(0, 10) + 1;
  return start < 10 ? null : inflateRaw(packed.subarray(start), largest);
}
