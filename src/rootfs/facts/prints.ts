/**
 * Fingerprints of file contents by entry. Scans of an analysis make them, and its findings tell by them which files hold the same and
 * which were only given another owner.
 */

/** Bytes of one fingerprint: the first half of a SHA-256. */
export const printBytes = 16;

/**
 * The size up to which all of a file is hashed. Of a larger one the hash takes this much of its beginning, its size, and the CRC-32 of all
 * of it, which costs a quarter of the time. Files of one image that differ elsewhere have the same fingerprint once in four billion pairs;
 * an image that was made to mislead can have more, which is why nothing is removed by fingerprints.
 */
export const headBytes = 65_536;

/** The fingerprints of the entries of one layer, one after the other: zeros for what is not a file with data, and for sparse files. */
export type ContentPrints = Uint8Array;

/** Tells whether an entry has a fingerprint. */
export function hasPrint(prints: ContentPrints, entry: number): boolean {
  const end = (entry + 1) * printBytes;
  for (let at = end - printBytes; at < end; at++) if ((prints[at] ?? 0) !== 0) return true;
  return false;
}

/** Tells whether two entries have the same fingerprint. Entries without one are equal to nothing. */
export function isSamePrint(a: ContentPrints, entry: number, b: ContentPrints, other: number): boolean {
  if (!hasPrint(a, entry)) return false;
  for (let i = 0; i < printBytes; i++)
    if (a[entry * printBytes + i] !== b[other * printBytes + i]) return false;
  return true;
}
