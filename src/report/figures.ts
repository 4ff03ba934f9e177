export { formatSize } from '../units.ts';

const bitUnits = ['bit', 'kbit', 'Mbit', 'Gbit', 'Tbit'];

/** Formats a count: `12,345`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Formats a count with its noun: `1 file`, `12,345 files`. Default of `plural`: the singular and an s. */
export function formatNumberOf(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** Formats the change from `before` to `after`: `-43.2%`, `+0.1%`, `0.0%`. Empty if `before` is 0. */
export function formatChange(before: number, after: number): string {
  if (before === 0) return '';
  const percent = ((after - before) / before) * 100;
  const text = percent.toFixed(1);
  if (text === '-0.0' || text === '0.0') return '0.0%';
  return `${percent > 0 ? '+' : ''}${text}%`;
}

/** Formats a time as RFC 3339, in UTC and whole seconds. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Formats seconds as a clock does: `0:07`, `12:34`, `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Formats seconds for comparison: `2.1 s`, `34 ms`. */
export function formatSeconds(seconds: number): string {
  return seconds < 0.95 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

/** Formats bytes per second in the units of network lines: `100 Mbit/s`, `1.5 Gbit/s`. */
export function formatBandwidth(bytesPerSecond: number): string {
  let value = bytesPerSecond * 8;
  let unit = 0;
  for (; value >= 1000 && unit < bitUnits.length - 1; unit++) value /= 1000;
  return `${Number(value.toPrecision(4))} ${bitUnits[unit]}/s`;
}
