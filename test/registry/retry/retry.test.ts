import { expect, test } from 'vitest';
import { isTransient, pauseBefore, retryAfter } from '../../../src/registry/retry/retry.ts';
import { FakeClock } from '../../support/registry/setup.ts';

test('Retry-After in both forms, capped; the past and nonsense are ignored', () => {
  const clock = new FakeClock();
  const inTenSeconds = new Date(clock.now() + 10_000).toUTCString();
  const yesterday = new Date(clock.now() - 86_400_000).toUTCString();
  const inAYear = new Date(clock.now() + 365 * 86_400_000).toUTCString();
  const cases: readonly (readonly [string | null, number | null])[] = [
    ['3', 3000],
    [' 7 ', 7000],
    ['0', null],
    ['100000000', 60_000],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['', null],
    [null, null],
    [inTenSeconds, 10_000],
    [yesterday, null],
    [inAYear, 60_000],
    ['2050', 60_000],
  ];
  for (const [header, wanted] of cases) expect([header, retryAfter(header, clock)]).toEqual([header, wanted]);
});

test('pauses double, vary by a quarter and end at half a minute', () => {
  const clock = new FakeClock();
  const at = (random: number): readonly number[] =>
    [0, 1, 2, 3, 20].map((attempt) =>
      pauseBefore(attempt, { now: () => clock.now(), sleep: () => Promise.resolve(), random: () => random }),
    );
  expect(at(0.5)).toEqual([500, 1000, 2000, 4000, 30_000]);
  expect(at(0)).toEqual([375, 750, 1500, 3000, 22_500]);
  expect(at(1)).toEqual([625, 1250, 2500, 5000, 37_500]);
});

test('the statuses that pass by themselves', () => {
  const all = Array.from({ length: 500 }, (_, i) => i + 100);
  expect(all.filter(isTransient)).toEqual([408, 429, 499, 500, 502, 503, 504, 522]);
});
