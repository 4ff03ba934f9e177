/**
 * Renders what a dry run expects, in words: the savings of the whole run, and sizes that are estimates. The summary and Markdown
 * call it.
 */
import { formatChange, formatSize } from './figures.ts';
import type { Report } from './report.ts';

/** A size that may be an estimate. Bytes. */
interface Forecast {
  readonly size: number;
  /** Bytes by which it may be off; undefined where it is exact. */
  readonly error: number | undefined;
}

/** Renders the savings of a dry run: `the layers would shrink from 142.1 MB to about 98.2 MB (-30.9%, ±0.4 MB)`. */
export function forecastLine({ platforms }: Report): string {
  const before = sum(platforms.map(({ compressing }) => compressing.sizeBefore));
  const after = sum(platforms.map(({ compressing }) => compressing.sizeAfter ?? compressing.sizeBefore));
  const error = sum(platforms.map(({ compressing }) => compressing.sizeAfterError ?? 0));
  if (before === after) return `the layers would stay at ${formatSize(before)}`;
  const verb = after < before ? 'shrink' : 'grow';
  const about = error === 0 ? '' : 'about ';
  const parts = [formatChange(before, after), error === 0 ? '' : errorText(error)].filter(
    (part) => part !== '',
  );
  const range = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
  return `the layers would ${verb} from ${formatSize(before)} to ${about}${formatSize(after)}${range}`;
}

/** Renders a size, with a tilde where it is an estimate: `~98.2 MB`. */
export function forecastSize({ size, error }: Forecast): string {
  return `${error === undefined || error === 0 ? '' : '~'}${formatSize(size)}`;
}

/** Renders how far an estimate may be off: `±0.4 MB`. */
export function errorText(error: number): string {
  return `±${formatSize(error)}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
