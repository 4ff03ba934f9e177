import { describe, expect, test } from 'vitest';
import { parseDuration } from '../../src/settings/duration.ts';
import { parseBandwidth, parseGoal } from '../../src/settings/goal.ts';

describe('bandwidths', () => {
  test.each([
    ['100Mbit', 12_500_000],
    ['1Gbit', 125_000_000],
    ['1.5 Gbit/s', 187_500_000],
    ['800kbit', 100_000],
    ['64bit', 8],
    ['50MB', 50_000_000],
    ['50MB/s', 50_000_000],
    ['512B', 512],
    ['10MiB', 10_485_760],
    ['0.5GiB', 536_870_912],
  ])('%s is %d bytes a second', (text, bytes) => {
    expect(parseBandwidth(text, '--tune')).toBe(bytes);
  });

  // Mb may mean megabits or megabytes; m also means a thousandth.
  test.each([
    '',
    '100',
    '100Mb',
    '100mbit',
    '100Mbps',
    'Mbit',
    '-1Mbit',
    '1e3Mbit',
    '1,5Gbit',
    '100 Mbit /s',
    '1Tbit',
  ])('%j is not a bandwidth', (text) => {
    expect(() => parseBandwidth(text, '--tune')).toThrow(/^--tune: .* is not a bandwidth$/);
  });

  test('zero is not a bandwidth', () => {
    expect(() => parseBandwidth('0.0Mbit', '--tune')).toThrow(/must be above 0/);
  });
});

describe('lengths of time', () => {
  test.each([
    ['45s', 45],
    ['2m', 120],
    ['1m30s', 90],
    ['1h', 3600],
    ['1h0m0.5s', 3600.5],
    ['90m', 5400],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDuration(text, '--budget')).toBe(seconds);
  });

  test.each(['', '60', '1.5m', '30s1m', '1 m', '-5s', 'm', '5 seconds', '1h1h'])(
    '%j is not a length of time',
    (text) => {
      expect(() => parseDuration(text, '--budget')).toThrow(/^--budget: .* is not a length of time$/);
    },
  );

  test('zero is not a length of time', () => {
    expect(() => parseDuration('0s', '--budget')).toThrow(/must be above 0/);
  });
});

test('goals', () => {
  expect(parseGoal('small', '--tune')).toEqual({ kind: 'size', effort: 'small' });
  expect(parseGoal('pull:8Mbit', '--tune')).toEqual({ kind: 'pull', bytesPerSecond: 1e6 });
});
