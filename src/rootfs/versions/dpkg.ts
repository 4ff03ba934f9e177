/**
 * The order of Debian's versions: deb-version(7), Debian Policy 5.6.12. `versions.ts` asks for it.
 */
import { compareDigits, isDigit } from './digits.ts';

/** Compares two versions `[epoch:]upstream[-revision]`. */
export function compareDpkg(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  return (
    compareDigits(left.epoch, right.epoch) ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  );
}

function split(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '0' : version.slice(0, colon),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

/** Compares characters other than digits, then digits, in turns up to the end of both. */
function compareParts(a: string, b: string): number {
  for (let [i, j] = [0, 0]; i < a.length || j < b.length; ) {
    for (; (i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j)); i++, j++) {
      const order = weight(a, i) - weight(b, j);
      if (order !== 0) return order;
    }
    const [endA, endB] = [endOfDigits(a, i), endOfDigits(b, j)];
    const order = compareDigits(a.slice(i, endA), b.slice(j, endB));
    if (order !== 0) return order;
    [i, j] = [endA, endB];
  }
  return 0;
}

/** Weighs a character: `~` is below the end, letters are above it, and all others above letters. */
function weight(text: string, at: number): number {
  if (at >= text.length || isDigit(text, at)) return 0;
  const code = text.charCodeAt(at);
  if (code === 0x7e) return -1;
  return /[A-Za-z]/.test(text.charAt(at)) ? code : code + 256;
}

function endOfDigits(text: string, from: number): number {
  let end = from;
  while (end < text.length && isDigit(text, end)) end++;
  return end;
}
