/** Sizes of files in a page: exact in short lists, rounded in long ones. */

/** Rows above which sizes are rounded, so that a page stays small. */
export const exactRows = 20_000;
/** Significant bits of rounded sizes: they are off by 1.6 % at most. */
const roundedBits = 6;
/** The bits of the smallest size that is never rounded: 512 KiB. Such files are few, and hold most of the bytes. */
const exactFromBits = 20;

/** Returns how many of the lowest bits of a size are not stored. */
export function clearedBits(bits: number, rounds: boolean): number {
  return rounds && bits < exactFromBits ? Math.max(0, bits - roundedBits) : 0;
}

/** Rounds a size to the nearest that can be stored. */
export function rounded(size: number): number {
  const unit = 2 ** clearedBits(bitLength(size), true);
  return Math.round(size / unit) * unit;
}

/** Returns the number of binary digits; 0 for 0. */
export function bitLength(size: number): number {
  return size < 2 ** 32 ? 32 - Math.clz32(size) : 64 - Math.clz32(Math.floor(size / 2 ** 32));
}
