/** Bytes that a network of 100 Mbit/s carries in a second. */
const bytesPerSecond = 100e6 / 8;

/** Returns the seconds that bytes take at 100 Mbit/s. */
export function pullSeconds(bytes: number): number {
  return bytes / bytesPerSecond;
}
