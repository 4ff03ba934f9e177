import { afterEach, expect, test, vi } from 'vitest';
import { lawRuns } from './rig.ts';

afterEach(() => vi.unstubAllEnvs());

test.each(['1', '3', '25', '999'])('OCISLIM_LAW_RUNS=%s gives every law a whole number of runs', (runs) => {
  vi.stubEnv('OCISLIM_LAW_RUNS', runs);
  expect(lawRuns({ usual: 40 })).toBe(Number(runs));
  for (const share of [1 / 2, 1 / 3, 1 / 4]) {
    const some = lawRuns({ share });
    expect(Number.isInteger(some) && some >= 1, String(share)).toBe(true);
  }
});

test('a law is tried a hundred times by default, an expensive one less often', () => {
  vi.stubEnv('OCISLIM_LAW_RUNS', undefined);
  expect([lawRuns(), lawRuns({ share: 1 / 4 }), lawRuns({ usual: 40 })]).toEqual([100, 25, 40]);
});
