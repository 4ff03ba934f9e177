const bitUnits = ['bit', 'kbit', 'Mbit', 'Gbit', 'Tbit'];
const units = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** `812 B`, `12.3 MB`: decimal units, one decimal, as registries and `docker` show them. Negative sizes keep their sign. */
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

/** `12,345`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 file`, `12,345 files`; `plural` where an s does not do. */
export function formatNumberOf(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** How much `after` differs from `before`: `-43.2%`, `+0.1%`, `0.0%`; empty where nothing was before. */
export function formatChange(before: number, after: number): string {
  if (before === 0) return '';
  const percent = ((after - before) / before) * 100;
  const text = percent.toFixed(1);
  if (text === '-0.0' || text === '0.0') return '0.0%';
  return `${percent > 0 ? '+' : ''}${text}%`;
}

/** `0:07`, `12:34`, `1:02:03`; from seconds. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** `2.1 s`, `34 ms`: how long something takes, for comparing. */
export function formatSeconds(seconds: number): string {
  return seconds < 0.95 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

/** Of bytes per second, `100 Mbit/s`, `1.5 Gbit/s`, as lines are named. */
export function formatBandwidth(bytesPerSecond: number): string {
  let value = bytesPerSecond * 8;
  let unit = 0;
  for (; value >= 1000 && unit < bitUnits.length - 1; unit++) value /= 1000;
  return `${Number(value.toPrecision(4))} ${bitUnits[unit]}/s`;
}
