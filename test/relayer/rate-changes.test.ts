import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KnownChanges, rateChanges } from '../../src/relayer/rate-changes.ts';

const day = 86_400;
const nothing: KnownChanges = {
  current: null,
  previous: null,
  history: [],
  dates: new Map(),
  now: 1000 * day,
};
const component = (name: string, mtime = 0) => ({ name, bytes: 1, volatile: false, files: 1, mtime });

function rate(known: Partial<KnownChanges>, mtime = 0): number {
  return rateChanges([component('a', mtime)], { ...nothing, ...known })[0]?.change ?? -1;
}

const version = (digest: string) => new Map([['a', digest]]);
const dates = (...times: readonly number[]) =>
  new Map([['a', times.map((time) => ({ time: time * day, release: null }))]]);

describe('the probability of a change', () => {
  it('grows with the number of different contents that earlier versions have', () => {
    const rates = [
      ['1', '1', '1', '1'],
      ['1', '1', '1', '2'],
      ['1', '2', '2', '3'],
      ['1', '2', '3', '4'],
    ].map((digests) => rate({ history: digests.map(version) }));
    expect(rates).toEqual(rates.toSorted((a, b) => a - b));
    expect(new Set(rates).size).toBe(4);
  });

  it('grows with the dated changes, recent ones above all', () => {
    expect(rate({ dates: dates(900, 950) })).toBeGreaterThan(rate({ dates: dates(950) }));
    expect(rate({ dates: dates(950) })).toBeGreaterThan(rate({ dates: dates(100) }));
    expect(rate({ dates: dates(1100) })).toBe(rate({ dates: dates() }));
  });

  it('counts what was done before the release less', () => {
    const made = (release: string) => new Map([['a', [{ time: 900 * day, release }]]]);
    expect(rate({ dates: made('bookworm-security') })).toBeGreaterThan(rate({ dates: made('unstable') }));
  });

  it('depends on the age where no date is known', () => {
    expect(rate({}, 990 * day)).toBeGreaterThan(rate({}, 10 * day));
  });

  it.each([0, 9999, 10_001])(
    'is the usual one for what has the time of its installation, or none: day %i',
    (made) => {
      const named = (name: string) =>
        rateChanges([component(name, made * day)], { ...nothing, now: 10_000 * day })[0]?.change;
      expect(named('dpkg:a')).toBeLessThan(named('python:a') ?? 0);
      expect(named('python:a')).toBeLessThan(named('tree:/app') ?? 0);
      expect(named('rest')).toBe(named('big:/a'));
    },
  );

  it('is 1 for what every build changes', () => {
    expect(rateChanges([{ ...component('v'), volatile: true }], nothing)[0]?.change).toBe(1);
  });

  it('lies between 0 and 1, and does not depend on the order of the history', () => {
    const digests = fc.array(fc.constantFrom('1', '2', '3', null), { maxLength: 8 });
    fc.assert(
      fc.property(
        digests,
        fc.array(fc.integer({ min: 0, max: 1200 })),
        fc.func(fc.integer()),
        (list, times, key) => {
          const history = list.map((digest) =>
            digest === null ? new Map<string, string>() : version(digest),
          );
          const order = new Map(history.map((each, at) => [each, key(at)]));
          const shuffled = history.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
          const found = rate({ history, dates: dates(...times) });
          expect(found).toBeGreaterThanOrEqual(0);
          expect(found).toBeLessThan(1);
          expect(rate({ history: shuffled, dates: dates(...times) })).toBe(found);
        },
      ),
    );
  });
});

it.each([
  ['1', '1', false],
  ['1', '2', true],
  [null, '2', true],
] as const)('what was %s and is %s has changed: %s', (before, now, changed) => {
  const previous = before === null ? new Map<string, string>() : version(before);
  const [found] = rateChanges([component('a')], { ...nothing, previous, current: version(now) });
  expect(found?.changed).toBe(changed);
});
