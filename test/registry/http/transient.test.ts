import { expect, test } from 'vitest';
import { isTransient, retryAfter } from '../../../src/registry/http/transient.ts';
import { FakeClock } from '../../support/registry/setup.ts';

test('Retry-After holds seconds or a date, is capped, and is ignored when it is past or malformed', () => {
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

test('timeouts, rate limits and failures of servers and gateways may pass; no other status does', () => {
  const all = Array.from({ length: 500 }, (_, i) => i + 100);
  expect(all.filter(isTransient)).toEqual([408, 429, 499, 500, 502, 503, 504, 522]);
});
