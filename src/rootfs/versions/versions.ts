/**
 * Says which of two versions of a package is higher, by the rules of its package manager. The comparison of images asks it.
 */
import type { ComponentKind } from '../packages/package.ts';
import { compareApk } from './apk.ts';
import { compareDpkg } from './dpkg.ts';
import { comparePython } from './python.ts';
import { compareRpm } from './rpm.ts';
import { compareRuby } from './ruby.ts';
import { compareSemver } from './semver.ts';

/** Compares two versions: negative where the first is lower; null where the rules say nothing. */
type Comparator = (a: string, b: string) => number | null;

/** Kinds without a row, as Composer and Maven, have versions that are mostly semantic ones. */
const comparators: Partial<Record<ComponentKind, Comparator>> = {
  apk: compareApk,
  conda: comparePython,
  dpkg: compareDpkg,
  python: comparePython,
  rpm: compareRpm,
  ruby: compareRuby,
};

/** Characters of a version that is looked into. Databases are hostile, and no real version is as long. */
const longest = 256;

/** Compares two versions of a package: negative where `a` is lower; null where they cannot be compared. */
export function compareVersions(kind: ComponentKind, a: string, b: string): number | null {
  if (a === b) return 0;
  if (Math.max(a.length, b.length) > longest) return null;
  return (comparators[kind] ?? compareSemver)(a, b);
}
