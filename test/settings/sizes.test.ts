import { describe, expect, it } from 'vitest';
import { formatSize } from '../../src/report/figures.ts';
import { parsePercentOrSize, parseSize } from '../../src/settings/sizes.ts';

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['1000', 1000],
    ['512MiB', 536_870_912],
    ['512mib', 536_870_912],
    ['2GB', 2e9],
    ['2g', 2e9],
    ['1.5 GB', 1.5e9],
    ['10k', 10_000],
    ['1KiB', 1024],
    [' 7 B ', 7],
    ['1TiB', 2 ** 40],
    ['0.1GB', 1e8],
    ['0.3KiB', 307],
  ])('reads %j', (text, bytes) => expect(parseSize(text, '--max-scratch')).toBe(bytes));

  it.each([
    '',
    'x',
    '-1',
    '+1',
    '1e3',
    '0x10',
    '1,5GB',
    '1.GB',
    '.5GB',
    '5%',
    '1.5',
    '1.5B',
    '10 potatoes',
    'toString',
    '1constructor',
    '9999999TB',
    'Infinity',
    'NaN',
    '1GB2',
  ])('refuses %j', (text) => {
    expect(() => parseSize(text, '--max-scratch')).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => parseSize(text, '--max-scratch')).toThrow(/^--max-scratch: /);
  });
});

describe('parsePercentOrSize', () => {
  it.each([
    ['5%', 0.05],
    ['2.5 %', 0.025],
    ['0%', 0],
    ['100%', 1],
  ])('reads %j', (text, ratio) =>
    expect(parsePercentOrSize(text, '--min-savings')).toEqual({ kind: 'ratio', ratio }),
  );
  it('takes sizes', () => expect(parsePercentOrSize('10MB', 'x')).toEqual({ kind: 'bytes', bytes: 1e7 }));
  it.each(['101%', '%', '-5%', '5%%', '5% of it', 'five', '100.1%'])('refuses %j', (text) => {
    expect(() => parsePercentOrSize(text, '--min-savings')).toThrow(/^--min-savings: /);
  });
});

it('what is shown can be read back, to its one decimal', () => {
  for (const bytes of [0, 999, 1000, 12_345, 31_234_567, 9_876_543_210]) {
    const back = parseSize(formatSize(bytes), 'x');
    expect(Math.abs(back - bytes)).toBeLessThanOrEqual(bytes * 0.06);
  }
});
