/** Formats the numbers of a page. */
import { formatChange, formatCount, formatSeconds, formatSize } from '../../figures.ts';
import type { Unit } from '../page.ts';

/** Formats a value in its unit. */
export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case 'bytes':
      return formatSize(value);
    case 'count':
      return formatCount(value);
    case 'seconds':
      return formatSeconds(value);
    case 'percent':
      return `${(value * 100).toFixed(1)} %`;
  }
}

/** Formats a change with a real minus sign. */
export function changeText(before: number, after: number): string {
  return formatChange(before, after).replace('-', '\u2212').replace('%', '\u202f%');
}
