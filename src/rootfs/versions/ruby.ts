/**
 * The order of Ruby's versions: Gem::Version. `versions.ts` asks for it.
 */
import { compareMixed } from './digits.ts';

/** Compares two versions: runs of digits and letters, of which letters make a pre-release; null where one has another form. */
export function compareRuby(a: string, b: string): number | null {
  if (
    ![a, b].every((version) =>
      /^[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/.test(version),
    )
  )
    return null;
  const [left, right] = [segments(a), segments(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [was = '0', is = '0'] = [left[i], right[i]];
    const order = compareMixed(was, is, 'above');
    if (order !== 0) return order;
  }
  return 0;
}

/** Returns the runs of digits and letters; a dash begins a pre-release. */
function segments(version: string): readonly string[] {
  return version.replaceAll('-', '.pre.').match(/[0-9]+|[A-Za-z]+/g) ?? [];
}
