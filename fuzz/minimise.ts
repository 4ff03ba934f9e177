/** The most inputs that are tried. The result is small enough then. */
const mostTries = 400;

/**
 * Returns a shorter input with the same outcome: leaves parts out as long as the outcome holds, from halves down to
 * single bytes, then replaces bytes by zeros.
 */
export async function minimise(
  bytes: Uint8Array,
  doesTheSame: (bytes: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let best = bytes;
  let tries = 0;
  const mayTry = (): boolean => tries < mostTries;
  const attempt = async (candidate: Uint8Array): Promise<boolean> => {
    tries++;
    if (!(await doesTheSame(candidate))) return false;
    best = candidate;
    return true;
  };
  const half = 2 ** Math.ceil(Math.log2(Math.max(1, best.length)) - 1);
  for (let length = half; length >= 1 && mayTry(); length = Math.floor(length / 2)) {
    for (let at = 0; at < best.length && mayTry(); ) {
      const without = Buffer.concat([best.subarray(0, at), best.subarray(at + length)]);
      if (!(await attempt(without))) at += length;
    }
  }
  for (let at = 0; at < best.length && mayTry(); at++) {
    if (best[at] === 0) continue;
    const zeroed = Uint8Array.from(best);
    zeroed[at] = 0;
    await attempt(zeroed);
  }
  return new Uint8Array(best);
}
