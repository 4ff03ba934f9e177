import type { ComponentKind } from '../../rootfs/packages/package.ts';
import { compareDpkg } from '../../rootfs/versions/dpkg.ts';
import { compareVersions } from '../../rootfs/versions/versions.ts';

/**
 * Orders a version of a package and one that a gate names, by the rules of the package's kind, and as Debian does for
 * versions that these rules cannot read, as `2024-lts` of a Node package: below, above or equal to 0, as the first is older, newer or the same.
 */
export function orderVersions(kind: ComponentKind, a: string, b: string): number {
  return compareVersions(kind, a, b) ?? compareDpkg(withoutPrefix(a), withoutPrefix(b));
}

/** `v1.2` and `=1.2` are 1.2. */
function withoutPrefix(version: string): string {
  return version.trim().replace(/^[vV=](?=\d)/, '');
}
