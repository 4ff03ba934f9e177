/**
 * Compares versions of packages of any kind, as Debian does (Policy 5.6.12): epoch, then parts of letters and of digits by turns, where
 * `~` sorts before everything. The gate about packages calls it.
 */

/** Returns a number below, above or equal to 0, as the first version is older, newer or the same. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [splitEpoch(a), splitEpoch(b)];
  return x.epoch - y.epoch || compareParts(x.rest, y.rest);
}

function splitEpoch(version: string): { epoch: number; rest: string } {
  const found = /^(\d{1,9}):(.*)$/s.exec(version.trim().replace(/^[vV=](?=\d)/, ''));
  return found === null
    ? { epoch: 0, rest: version.trim().replace(/^[vV=](?=\d)/, '') }
    : { epoch: Number(found[1]), rest: found[2] as string };
}

/** Compares the parts of two versions: letters and signs first, then a number, and so on. */
function compareParts(a: string, b: string): number {
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    for (; isOther(a, i) || isOther(b, j); i++, j++) {
      const difference = weight(a, i) - weight(b, j);
      if (difference !== 0) return difference;
    }
    const [x, y] = [digitsAt(a, i), digitsAt(b, j)];
    i += x.length;
    j += y.length;
    const [short, other] = [x.replace(/^0+/, ''), y.replace(/^0+/, '')];
    if (short.length !== other.length) return short.length - other.length;
    if (short !== other) return short < other ? -1 : 1;
  }
  return 0;
}

function isOther(text: string, at: number): boolean {
  return at < text.length && !/[0-9]/.test(text[at] as string);
}

function digitsAt(text: string, at: number): string {
  let end = at;
  while (end < text.length && /[0-9]/.test(text[end] as string)) end++;
  return text.slice(at, end);
}

/** `~` before the end, the end and digits before letters, letters before signs. */
function weight(text: string, at: number): number {
  const character = text[at];
  if (character === undefined || /[0-9]/.test(character)) return 0;
  if (character === '~') return -1;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 0x1_00_00;
}
