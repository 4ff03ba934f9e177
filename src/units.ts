/** Binary units of size, in bytes (IEC 80000-13). */
export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

const units = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** Formats bytes as registries and `docker` show them, in decimal units: `812 B`, `12.3 MB`. Negative sizes keep their sign. */
export function formatSize(bytes: number): string {
  const sign = bytes < 0 ? '-' : '';
  let value = Math.abs(bytes);
  if (value < 1000) return `${sign}${Math.round(value)} B`;
  let unit = -1;
  // 999,950 bytes are 1.0 MB, not 1000.0 kB.
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${sign}${value.toFixed(1)} ${units[unit]}`;
}
