/**
 * Finds what a person meant by a mistyped word. Errors about options, commands, choices and presets ask it for advice, so it would
 * rather find nothing than guess.
 */

/** Longer words are not compared letter by letter: an argument may be of any length. */
const longest = 64;

/**
 * Returns the word that was meant: the same in another spelling, one that begins alike, or the one that takes the fewest edits
 * if these are few enough for a typing error. Null where none is near.
 */
export function closestWord(word: string, words: readonly string[]): string | null {
  const given = spelled(word);
  if (given.length === 0 || given.length > longest) return null;
  const known = words.map((each) => ({ each, as: spelled(each) }));
  const same = known.find(({ as }) => as === given);
  if (same !== undefined) return same.each;
  const [near] = known
    .map(({ each, as }) => ({ each, edits: edits(given, as) }))
    .filter(({ edits: count, each }) => count <= allowed(given, spelled(each)))
    .toSorted((a, b) => a.edits - b.edits);
  if (near !== undefined && near.edits <= 1) return near.each;
  const longer = known.filter(({ as }) => given.length > 1 && as.startsWith(given));
  const [first] =
    longer.length > 0 ? longer : known.filter(({ as }) => as.length > 3 && given.startsWith(as));
  return first?.each ?? near?.each ?? null;
}

/** Makes `dryRun`, `dry_run`, `DRY-RUN` and `dry-run` the same. */
function spelled(word: string): string {
  return word
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
}

/** Returns the number of edits that may be a typing error. Two or more need the same first letter, or `import` would be `export`. */
function allowed(given: string, word: string): number {
  const few = Math.min(given.length, word.length);
  if (few < 3) return 0;
  return given[0] === word[0] ? Math.min(3, Math.max(1, Math.floor(few / 3))) : 1;
}

/** Counts the edits from one word to another: a letter more, less or other, or two swapped (optimal string alignment). */
function edits(a: string, b: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] as number) + (a[i] === b[j] ? 0 : 1);
      const isSwapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      const swapped = isSwapped ? (before[j - 1] as number) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] as number;
}
