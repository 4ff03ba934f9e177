/** Finds what a person meant by a mistyped word. The table of presets asks it for advice. */

/** Returns the word that takes the fewest edits, if these are few enough for a typing error. A prefix counts as one edit. */
export function closestWord(word: string, words: readonly string[]): string | null {
  let best: string | null = null;
  let fewest = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of words) {
    // The user's word may be of any length, and the comparison takes time by the product of both lengths.
    const edits = word.length > 1 && candidate.startsWith(word) ? 1 : distance(word.slice(0, 64), candidate);
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

/** Counts the single-character edits from one word to another (Levenshtein), a row of the table at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] as number) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
