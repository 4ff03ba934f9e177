import { expect, it } from 'vitest';
import {
  formatChange,
  formatCount,
  formatDuration,
  formatNumberOf,
  formatSize,
} from '../../src/report/figures.ts';

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1.0 MB'],
  [31_234_567, '31.2 MB'],
  [999_950_000, '1.0 GB'],
  [12_345_000_000, '12.3 GB'],
  [1e18, '1000.0 PB'],
  [-1500, '-1.5 kB'],
])('formats %j bytes as %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));

it.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [1234567, '1,234,567'],
])('formats the count %j as %s', (count, text) => expect(formatCount(count)).toBe(text));

it('formats counts with singular and plural', () => {
  expect(formatNumberOf(1, 'file')).toBe('1 file');
  expect(formatNumberOf(2000, 'file')).toBe('2,000 files');
  expect(formatNumberOf(0, 'entry', 'entries')).toBe('0 entries');
});

it.each([
  [100, 56.8, '-43.2%'],
  [100, 100.1, '+0.1%'],
  [100, 100, '0.0%'],
  [100_000, 99_999, '0.0%'],
  [100_000, 100_001, '0.0%'],
  [0, 5, ''],
  [10, 0, '-100.0%'],
])('formats the change from %j to %j as %j', (before, after, text) =>
  expect(formatChange(before, after)).toBe(text),
);

it.each([
  [0, '0:00'],
  [7.4, '0:07'],
  [59.6, '1:00'],
  [754, '12:34'],
  [3723, '1:02:03'],
  [-1, '0:00'],
])('formats %j seconds as %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));
