/**
 * The order of Semantic Versioning 2.0.0, section 11. `versions.ts` asks for it for packages of Node and modules of Go.
 */
import { compareDigits, compareMixed } from './digits.ts';

/** Compares two versions `[v]1.2.3[-rc.1][+build]`, with any number of numbers; null where one has another form. */
export function compareSemver(a: string, b: string): number | null {
  const [left, right] = [parse(a), parse(b)];
  if (left === null || right === null) return null;
  for (let i = 0; i < Math.max(left.numbers.length, right.numbers.length); i++) {
    const order = compareDigits(left.numbers[i] ?? '', right.numbers[i] ?? '');
    if (order !== 0) return order;
  }
  return comparePrereleases(left.prerelease, right.prerelease);
}

function parse(text: string): { numbers: readonly string[]; prerelease: readonly string[] } | null {
  const match = /^[vV]?([0-9]+(?:\.[0-9]+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?$/.exec(text);
  if (match === null) return null;
  const [, numbers = '', prerelease] = match;
  return { numbers: numbers.split('.'), prerelease: prerelease?.split('.') ?? [] };
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [was, is] = [a[i] as string, b[i] as string];
    const order = compareMixed(was, is, 'below');
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
